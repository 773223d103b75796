"""Whether what must be secret can be guessed, and whether passwords are hashed well enough."""

from collections.abc import Iterator

from api.signing_keys.files import readable_by_others, writable_by_others
from cli.check.findings import Finding, ok, problem, warning
from domain.passwords.tuning import MIN_MEMORY_MIB, min_passes
from settings import Settings

# zxcvbn takes no more, and no more is needed.
_LOOKED_AT = 72

# Below what 16 random bytes in hexadecimal, or 36 characters of a UUID, are rated at.
_GUESSES_LOG10 = 27

# Random text may hold a word or two by chance, and never this many to its length.
_WORD = 5
_SHARE_OF_WORDS = 1 / 5

# Whoever verifies tokens without asking us learns nothing of a logout until the token ends (RFC 9700 section 2.2.1).
_LONG_MINUTES = 60


def secrets(settings: Settings) -> Iterator[Finding]:
    for item, secret in (
        ("SECRET_KEY", settings.secret_key),
        *(("SECRET_KEY_FALLBACKS", secret) for secret in settings.secret_key_fallbacks),
        ("INTROSPECTION_CLIENT_SECRET", settings.introspection_client_secret),
    ):
        if secret is None or not secret.get_secret_value():
            continue
        if _can_be_guessed(secret.get_secret_value()):
            yield problem(
                item, "is not random, and can be guessed: make one with `gatehouse secret`"
            )
        else:
            yield ok(item, "looks random")


def _can_be_guessed(secret: str) -> bool:
    # Here, as its lists take a twentieth of the start, which only this command needs.
    from zxcvbn import zxcvbn

    seen = secret[:_LOOKED_AT]
    rating = zxcvbn(seen)
    words = [
        len(match["token"])
        for match in rating["sequence"]
        if match["pattern"] == "dictionary" and len(match["token"]) >= _WORD
    ]
    reads_like_words = len(words) > 1 and sum(words) > len(seen) * _SHARE_OF_WORDS
    return rating["guesses_log10"] < _GUESSES_LOG10 or reads_like_words


def signing_keys(settings: Settings) -> Iterator[Finding]:
    """Those that cannot be used are refused before."""
    if settings.algorithm not in ("ES256", "RS256"):
        return
    try:
        if readable_by_others(settings.signing_keys_dir):
            yield problem(
                "SIGNING_KEYS_DIR", "has a private key that everyone here may read: chmod o-r"
            )
        elif writable_by_others(settings.signing_keys_dir):
            yield problem(
                "SIGNING_KEYS_DIR", "is where everyone here may put a key of their own: chmod o-w"
            )
        else:
            yield ok("SIGNING_KEYS_DIR", "keeps its private keys from others")
    except OSError as error:
        yield problem("SIGNING_KEYS_DIR", f"cannot be read: {error.strerror}")


def password_hashes(settings: Settings) -> Iterator[Finding]:
    mib, passes = settings.argon2_memory_kib // 1024, settings.argon2_time_cost
    if mib < MIN_MEMORY_MIB or passes < min_passes(mib):
        yield problem(
            "ARGON2_MEMORY_KIB, ARGON2_TIME_COST",
            "are below OWASP's minimum: `gatehouse tune` finds what this machine can afford",
        )
    else:
        yield ok("ARGON2_MEMORY_KIB, ARGON2_TIME_COST", "at or above OWASP's minimum")


def access_tokens(settings: Settings) -> Iterator[Finding]:
    minutes = settings.access_token_expire_minutes
    if minutes > _LONG_MINUTES:
        yield warning(
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            f"is {minutes}: services that verify tokens by themselves believe a stolen one for as long",
        )
    else:
        yield ok("ACCESS_TOKEN_EXPIRE_MINUTES", f"{minutes}")
