"""Access tokens: JWTs with the profile of RFC 9068. The only file that imports jose."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from cachetools import LRUCache
from jose import JOSEError, jwk, jwt
from jose.backends.base import Key as JoseKey

from domain.access_tokens.keys import Key, KeyRing
from domain.errors import TokenExpired, Unauthenticated

AUDIENCE = "gatehouse"

# RFC 9068 section 2.1. Tokens of any other type are refused, though signed with the same key.
TYPE = "at+jwt"

# Gatehouse's tokens have about 450 characters. Longer ones are not decoded.
MAX_LENGTH = 2048

# RFC 7515 section 7.1. jose skips characters outside base64url: one token would have any number of
# spellings, and each would be cached.
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# Clients send the same token with every request, and verifying it takes two fifths of the time of
# `me`. A token takes 1 KiB.
MAX_CACHED = 10_000

# The algorithms of a secret (RFC 7518 section 3.2). All others use a key with a `kid`.
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")

# Without `exp`, which jose would check before the others: see `read`.
_REQUIRED = {f"require_{claim}": True for claim in ("sub", "iat", "iss", "aud", "jti")}


# Values of the claim `acr` (RFC 9470), and that of `amr` which makes the difference (RFC 8176).
ONE_FACTOR = "urn:gatehouse:acr:1fa"
TWO_FACTORS = "urn:gatehouse:acr:2fa"
MULTIPLE_FACTORS = "mfa"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and the session that a token was issued to, and when, in seconds since 1970. Only
    the database says whether the session is active."""

    user_id: UUID
    session_id: UUID
    issued_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a user has proved who they are (RFC 8176), and when they last did, in seconds since
    1970."""

    amr: tuple[str, ...] = ()
    at: int = 0

    @property
    def has_second_factor(self) -> bool:
        return MULTIPLE_FACTORS in self.amr

    @property
    def acr(self) -> str:
        return TWO_FACTORS if self.has_second_factor else ONE_FACTOR


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token (RFC 7519 section 4.1). Times are in seconds since 1970."""

    caller: Caller
    expires_at: int
    token_id: str
    authentication: Authentication
    #: The administrator who acts in place of the subject, if one does.
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as its owner receives it. ``expires_in`` is in seconds."""

    value: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Issues and reads the tokens of one issuer.

    The algorithm decides whether the secret or the newest key of the ring signs. Tokens of the
    secret, of the former secrets (``fallbacks``) and of every key of the ring are accepted. A token
    of a secret has no `kid`.

    Raises ValueError if nothing can sign.
    """

    secret: str = field(repr=False)  # may be empty if keys sign
    algorithm: str
    lifetime: timedelta
    issuer: str
    fallbacks: tuple[str, ...] = field(default=(), repr=False)
    ring: KeyRing = field(default_factory=KeyRing, repr=False, compare=False)
    _verified: LRUCache[str, tuple[Claims, Key | None]] = field(
        default_factory=lambda: LRUCache(MAX_CACHED), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        try:
            for secret in self.fallbacks:
                _prepared(secret, SECRET_ALGORITHMS[0])
            self.issue(Caller(UUID(int=0), UUID(int=0)), not_after=datetime.now(UTC))
        except JOSEError:
            # jose refuses a secret that looks like a public key.
            raise ValueError(
                "SECRET_KEY or one of SECRET_KEY_FALLBACKS cannot sign; make one with `gatehouse secret`."
            ) from None

    def issue(
        self,
        caller: Caller,
        *,
        not_after: datetime,
        authentication: Authentication = Authentication(),  # it is immutable
        roles: Sequence[str] = (),
        actor_id: UUID | None = None,
        added: Mapping[str, Any] = MappingProxyType({}),
    ) -> AccessToken:
        """Issue a token with the usual lifetime, or a shorter one if its session expires before.

        ``actor_id`` is the user who acts in place of the caller's user (RFC 8693 section 4.1).
        ``added`` are claims for other services. They replace none of those here.
        """
        now = int(time.time())
        expires_at = min(now + int(self.lifetime.total_seconds()), int(not_after.timestamp()))
        claims: dict[str, Any] = {
            **added,
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "sid": str(caller.session_id),
            "iat": now,
            "exp": expires_at,
            "jti": str(uuid4()),
            # RFC 9068 section 2.2.1.
            "auth_time": authentication.at,
            "acr": authentication.acr,
            "amr": authentication.amr,
        }
        if roles:
            claims["roles"] = list(roles)  # RFC 9068 section 2.2.3.1
        if actor_id:
            claims["act"] = {"sub": str(actor_id)}
        signer, header = self._signer(now)
        value = jwt.encode(claims, signer, self.algorithm, {"typ": TYPE, **header})
        return AccessToken(value, expires_at - now)

    def _signer(self, now: int) -> tuple[JoseKey, Mapping[str, str]]:
        if self.algorithm in SECRET_ALGORITHMS:
            return _prepared(self.secret, self.algorithm), {}
        key = self.ring.signing(self.algorithm, now)
        if key is None:
            raise ValueError(
                f"No key can sign with {self.algorithm}. Make one with `gatehouse keys new`."
            )
        return _prepared(key.private, self.algorithm), {"kid": key.kid}

    def read(self, token: str) -> Claims:
        """Return the claims of a valid token. Its user may be deleted and its session may have
        ended.

        Raises TokenExpired for a token that was valid once, and Unauthenticated for any other.
        """
        if len(token) > MAX_LENGTH:
            raise Unauthenticated
        claims = self._cached(token)
        if claims is None:
            try:
                claims, key = self._verify(token)
            except Exception:
                # jose raises far more than JWTError on a crafted token: TypeError, RecursionError
                # and others.
                raise Unauthenticated from None
            self._verified[token] = claims, key
        # Checked last: a token that is invalid in any other way was never valid. On its expiry a
        # token has expired (RFC 7519 section 4.1.4).
        if claims.expires_at <= time.time():
            raise TokenExpired
        return claims

    def _cached(self, token: str) -> Claims | None:
        """Return the cached claims, unless the key of the token has changed since."""
        claims, key = self._verified.get(token, (None, None))
        return claims if key is None or self.ring.find(key.kid) is key else None

    def _verify(self, token: str) -> tuple[Claims, Key | None]:
        if not _COMPACT.fullmatch(token):
            raise Unauthenticated
        # jose ignores the header's `typ`, and any `crit` that it does not know.
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or "crit" in header:
            raise Unauthenticated
        key, verifiers = self._verifiers(header)
        claims: dict[str, Any] = jwt.decode(
            token,
            verifiers,  # type: ignore[arg-type]  # the stubs do not allow a list of prepared keys
            algorithms=[header["alg"]],
            audience=AUDIENCE,
            issuer=self.issuer,
            options={**_REQUIRED, "verify_exp": False},
        )
        if type(claims["exp"]) is not int or claims["aud"] != AUDIENCE:
            raise Unauthenticated
        return _to_claims(claims, key), key

    def _verifiers(self, header: Mapping[str, Any]) -> tuple[Key | None, list[JoseKey]]:
        """Return what may have signed a token with this header. Each key verifies its own algorithm
        only, so a public key is never used as a secret (RFC 8725 sections 2.1 and 3.1)."""
        algorithm = header["alg"]
        if "kid" in header:
            key = self.ring.find(header["kid"])
            if key is None or algorithm != key.algorithm:
                raise Unauthenticated
            return key, [_prepared(key.public, algorithm)]
        if algorithm not in self._secret_algorithms:
            raise Unauthenticated
        secrets = (self.secret, *self.fallbacks)
        return None, [_prepared(secret, algorithm) for secret in secrets if secret]

    @property
    def _secret_algorithms(self) -> tuple[str, ...]:
        """If keys sign now, the tokens from before may have any of these algorithms."""
        return (self.algorithm,) if self.algorithm in SECRET_ALGORITHMS else SECRET_ALGORITHMS


def _to_claims(claims: Mapping[str, Any], key: Key | None) -> Claims:
    """Convert the payload. A token expires with its key at the latest; if that was compromised, it
    counts as expired: its owner can refresh, and a forger cannot."""
    ends = [claims["exp"]]
    if key is not None and key.verifies_until is not None:
        ends.append(key.verifies_until)
    return Claims(
        Caller(UUID(claims["sub"]), UUID(claims["sid"]), issued_at=claims["iat"]),
        expires_at=min(ends),
        token_id=claims["jti"],
        # Absent in tokens of an earlier version.
        authentication=Authentication(tuple(claims.get("amr", ())), claims.get("auth_time", 0)),
        actor_id=UUID(claims["act"]["sub"]) if "act" in claims else None,
    )


def _prepared(key: Any, algorithm: str) -> JoseKey:
    """Prepare a secret, a public or a private key. jose accepts key objects although its stubs do
    not say so."""
    return jwk.construct(key, algorithm)
