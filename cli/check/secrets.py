"""Check the secrets, the signing keys, the costs of password hashes and the lifetime of tokens."""

from collections.abc import Iterator

from api.signing_keys.files import read_keys, readable_by_others, writable_by_others
from cli.check.findings import Finding, ok, problem, warning
from cli.check.published_secrets import is_published
from domain.access_tokens.tokens import SECRET_ALGORITHMS
from domain.passwords.tuning import MIN_MEMORY_MIB, min_passes
from settings import Settings

# The longest input of zxcvbn, which is long enough here.
_MAX_RATED = 72

# 16 random bytes in hexadecimal, and a UUID of 36 characters, are rated higher.
_MIN_GUESSES_LOG10 = 27

# Random text may contain a word or two by chance, but never this large a share of words.
_MIN_WORD_LENGTH = 5
_MAX_SHARE_OF_WORDS = 1 / 5

# A service that verifies tokens itself accepts a token after a logout, until the token expires
# (RFC 9700 section 2.2.1).
_LONG_LIFETIME_MINUTES = 60


def secrets(settings: Settings) -> Iterator[Finding]:
    """Check that each secret is random, known to this server only, and has one purpose."""
    fallbacks = [secret.get_secret_value() for secret in settings.secret_key_fallbacks]
    key = settings.secret_key.get_secret_value()
    introspection = settings.introspection_client_secret
    yield from _secret("SECRET_KEY", key)
    for fallback in fallbacks:
        yield from _secret("SECRET_KEY_FALLBACKS", fallback)
    if key and key in fallbacks:
        yield warning("SECRET_KEY_FALLBACKS", "has SECRET_KEY, which was not replaced")
    if introspection:
        yield from _secret("INTROSPECTION_CLIENT_SECRET", introspection.get_secret_value())
        if introspection.get_secret_value() in (key, *fallbacks):
            yield problem(
                "INTROSPECTION_CLIENT_SECRET",
                "is a SECRET_KEY: a service that may introspect tokens could sign them",
            )
    yield from _data_keys(settings, {key, *fallbacks})


def _data_keys(settings: Settings, secret_keys: set[str]) -> Iterator[Finding]:
    if settings.data_key:
        yield from _secret("DATA_KEY", settings.data_key.get_secret_value())
        if settings.data_key.get_secret_value() in secret_keys:
            yield problem(
                "DATA_KEY", "is a SECRET_KEY: replacing that would make links in mail invalid"
            )
    for fallback in settings.data_key_fallbacks:
        yield from _secret("DATA_KEY_FALLBACKS", fallback.get_secret_value())


def _secret(item: str, secret: str) -> Iterator[Finding]:
    if not secret:
        return
    if is_published(secret):
        yield problem(
            item, "stands in a public document or example: generate one with `gatehouse secret`"
        )
    elif _can_be_guessed(secret):
        yield problem(
            item, "is not random and can be guessed: generate one with `gatehouse secret`"
        )
    else:
        yield ok(item, "looks random")


def _can_be_guessed(secret: str) -> bool:
    # Imported here: its word lists would take 5% of every start, and only this command needs them.
    from zxcvbn import zxcvbn

    rated = secret[:_MAX_RATED]
    rating = zxcvbn(rated)
    word_lengths = [
        len(match["token"])
        for match in rating["sequence"]
        if match["pattern"] == "dictionary" and len(match["token"]) >= _MIN_WORD_LENGTH
    ]
    consists_of_words = (
        len(word_lengths) > 1 and sum(word_lengths) > len(rated) * _MAX_SHARE_OF_WORDS
    )
    return rating["guesses_log10"] < _MIN_GUESSES_LOG10 or consists_of_words


def signing_keys(settings: Settings) -> Iterator[Finding]:
    """Check who can read and write the folder. Its keys verify tokens whether or not they sign.

    If keys sign, unusable ones have already stopped the command.
    """
    folder = settings.signing_keys_dir
    try:
        if settings.algorithm in SECRET_ALGORITHMS and not folder.exists():
            return
        _, unusable = read_keys(folder)
        yield from (warning("SIGNING_KEYS_DIR", message) for message in unusable)
        if readable_by_others(folder):
            yield problem(
                "SIGNING_KEYS_DIR",
                "has a private key that other users of this machine can read: run chmod o-r",
            )
        elif writable_by_others(folder):
            yield problem(
                "SIGNING_KEYS_DIR",
                "is writable by other users of this machine, who could add a key: run chmod o-w",
            )
        else:
            yield ok("SIGNING_KEYS_DIR", "private keys are not readable by other users")
    except OSError as error:
        yield warning("SIGNING_KEYS_DIR", f"cannot be read: {error.strerror}")


def password_hashes(settings: Settings) -> Iterator[Finding]:
    mib, passes = settings.argon2_memory_kib // 1024, settings.argon2_time_cost
    if mib < MIN_MEMORY_MIB or passes < min_passes(mib):
        yield problem(
            "ARGON2_MEMORY_KIB, ARGON2_TIME_COST",
            "are below OWASP's minimum: find costs for this machine with `gatehouse tune`",
        )
    else:
        yield ok("ARGON2_MEMORY_KIB, ARGON2_TIME_COST", "at or above OWASP's minimum")


def access_tokens(settings: Settings) -> Iterator[Finding]:
    minutes = settings.access_token_expire_minutes
    if minutes > _LONG_LIFETIME_MINUTES:
        yield warning(
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            f"is {minutes}: services that verify tokens themselves accept a stolen token for as long",
        )
    else:
        yield ok("ACCESS_TOKEN_EXPIRE_MINUTES", f"{minutes}")
