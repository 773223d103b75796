"""Access tokens: JWTs as RFC 9068 profiles them. The only file that names jose."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cachetools import LRUCache
from jose import JOSEError, jwk, jwt
from jose.backends.base import Key as JoseKey

from domain.access_tokens.keys import Key, KeyRing
from domain.errors import TokenExpired, Unauthenticated

AUDIENCE = "gatehouse"

# RFC 9068 section 2.1. A token of any other kind, signed with the same key, is no access token.
TYPE = "at+jwt"

# Ours have about 450 characters. Whatever is longer is not worth decoding.
MAX_LENGTH = 2048

# RFC 7515 section 7.1. jose passes over characters that are none of base64url's: one token would be any number of texts, and
# each of them would be remembered.
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# Clients send the same token with every request, and to verify it takes two fifths of the time of `me`. One takes 1 KiB.
MAX_REMEMBERED = 10_000

# Those of a secret (RFC 7518 section 3.2). All others are those of a key with a `kid`.
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")

# Not `exp`, which jose would then judge before it has looked at the others: see `read`.
_REQUIRED = {f"require_{claim}": True for claim in ("sub", "iat", "iss", "aud", "jti")}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token speaks for: a user, in one of their sessions. Whether that goes on, only its row knows."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says (RFC 7519 section 4.1); times in seconds since 1970."""

    caller: Caller
    issued_at: int
    expires_at: int
    token_id: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as it goes to its owner; ``expires_in`` in seconds."""

    value: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Issues and reads the tokens of one issuer.

    They are signed with the secret, or by the newest key of the ring, as the algorithm wants it. Read are those of the secret,
    of its former ones (``fallbacks``) and of every key of the ring. A token of a secret has no `kid`.

    Raises ValueError when nothing can sign.
    """

    secret: str = field(repr=False)  # may be empty, where keys sign
    algorithm: str
    lifetime: timedelta
    issuer: str
    fallbacks: tuple[str, ...] = field(default=(), repr=False)
    ring: KeyRing = field(default_factory=KeyRing, repr=False, compare=False)
    _verified: LRUCache[str, tuple[Claims, Key | None]] = field(
        default_factory=lambda: LRUCache(MAX_REMEMBERED), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        try:
            for secret in self.fallbacks:
                _prepared(secret, SECRET_ALGORITHMS[0])
            self.issue(Caller(UUID(int=0), UUID(int=0)), not_after=datetime.now(UTC))
        except JOSEError:
            # jose takes a text that looks like a public key for one.
            raise ValueError(
                "SECRET_KEY or one of SECRET_KEY_FALLBACKS cannot sign; make one with `gatehouse secret`."
            ) from None

    def issue(self, caller: Caller, *, not_after: datetime) -> AccessToken:
        """A token of the usual lifetime, or a shorter one if its session ends before."""
        now = int(time.time())
        expires_at = min(now + int(self.lifetime.total_seconds()), int(not_after.timestamp()))
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "sid": str(caller.session_id),
            "iat": now,
            "exp": expires_at,
            "jti": str(uuid4()),
        }
        signer, header = self._signer(now)
        value = jwt.encode(claims, signer, self.algorithm, {"typ": TYPE, **header})
        return AccessToken(value, expires_at - now)

    def _signer(self, now: int) -> tuple[JoseKey, Mapping[str, str]]:
        if self.algorithm in SECRET_ALGORITHMS:
            return _prepared(self.secret, self.algorithm), {}
        key = self.ring.signing(self.algorithm, now)
        if key is None:
            raise ValueError(
                f"No key can sign by {self.algorithm}: make one with `gatehouse keys new`."
            )
        return _prepared(key.private, self.algorithm), {"kid": key.kid}

    def read(self, token: str) -> Claims:
        """What a token says, whose user and session may be gone by now.

        Raises TokenExpired for a token that once was good, and Unauthenticated for everything else.
        """
        if len(token) > MAX_LENGTH:
            raise Unauthenticated
        claims = self._remembered(token)
        if claims is None:
            try:
                claims, key = self._verify(token)
            except Exception:
                # jose raises far more than JWTError on a crafted token: TypeError, RecursionError and others.
                raise Unauthenticated from None
            self._verified[token] = claims, key
        # Judged last: a token that is wrong in any other way was never good. RFC 7519 section 4.1.4: on its expiry
        # a token has expired.
        if claims.expires_at <= time.time():
            raise TokenExpired
        return claims

    def _remembered(self, token: str) -> Claims | None:
        """None as well when its key is no longer what it was."""
        claims, key = self._verified.get(token, (None, None))
        return claims if key is None or self.ring.find(key.kid) is key else None

    def _verify(self, token: str) -> tuple[Claims, Key | None]:
        if not _COMPACT.fullmatch(token):
            raise Unauthenticated
        # jose does not look at the header's `typ`, and passes over a `crit` that it does not know.
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or "crit" in header:
            raise Unauthenticated
        key, verifiers = self._verifiers(header)
        claims: dict[str, Any] = jwt.decode(
            token,
            verifiers,  # type: ignore[arg-type]  # the stubs know of no list of prepared keys
            algorithms=[header["alg"]],
            audience=AUDIENCE,
            issuer=self.issuer,
            options={**_REQUIRED, "verify_exp": False},
        )
        if type(claims["exp"]) is not int or claims["aud"] != AUDIENCE:
            raise Unauthenticated
        return _said_by(claims, key), key

    def _verifiers(self, header: Mapping[str, Any]) -> tuple[Key | None, list[JoseKey]]:
        """What may have signed a token with such a header. Each is for its own algorithm alone: a public key, say, is never
        taken for a secret (RFC 8725 sections 2.1 and 3.1)."""
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
        """Where keys sign, nobody knows which of them the tokens from before have."""
        return (self.algorithm,) if self.algorithm in SECRET_ALGORITHMS else SECRET_ALGORITHMS


def _said_by(claims: Mapping[str, Any], key: Key | None) -> Claims:
    """No token outlives its key. One whose key was compromised has merely expired: its owner refreshes and goes on, and
    whoever has forged it does not."""
    ends = [claims["exp"]]
    if key is not None and key.verifies_until is not None:
        ends.append(key.verifies_until)
    return Claims(
        Caller(UUID(claims["sub"]), UUID(claims["sid"])),
        issued_at=claims["iat"],
        expires_at=min(ends),
        token_id=claims["jti"],
    )


def _prepared(key: Any, algorithm: str) -> JoseKey:
    """Of a secret or of either half of a key, which jose takes although its stubs do not say so."""
    return jwk.construct(key, algorithm)
