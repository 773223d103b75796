"""Access tokens: JWTs as RFC 9068 profiles them. The only file that names jose."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cachetools import LRUCache
from jose import JOSEError, jwt

from domain.errors import TokenExpired, Unauthenticated

AUDIENCE = "gatehouse"

# RFC 9068 section 2.1. A token of any other kind, signed with the same key, is no access token.
TYPE = "at+jwt"

# Ours have about 450 characters. Whatever is longer is not worth decoding.
MAX_LENGTH = 2048

# Clients send the same token with every request, and to verify it takes two fifths of the time of `me`. One takes 1 KiB.
MAX_REMEMBERED = 10_000

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
    """Issues and reads the tokens of one issuer, one secret and one algorithm.

    Raises ValueError for a secret that cannot sign.
    """

    secret: str = field(repr=False)
    algorithm: str
    lifetime: timedelta
    issuer: str
    _verified: LRUCache[str, Claims] = field(
        default_factory=lambda: LRUCache(MAX_REMEMBERED), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        try:
            self.issue(Caller(UUID(int=0), UUID(int=0)), not_after=datetime.now(UTC))
        except JOSEError:
            # jose takes a text that looks like a public key for one.
            raise ValueError("SECRET_KEY cannot sign; make one with `gatehouse secret`.") from None

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
        value = jwt.encode(claims, self.secret, algorithm=self.algorithm, headers={"typ": TYPE})
        return AccessToken(value, expires_at - now)

    def read(self, token: str) -> Claims:
        """What a token says, whose user and session may be gone by now.

        Raises TokenExpired for a token that once was good, and Unauthenticated for everything else.
        """
        if len(token) > MAX_LENGTH:
            raise Unauthenticated
        claims = self._verified.get(token)
        if claims is None:
            try:
                claims = self._verify(token)
            except Exception:
                # jose raises far more than JWTError on a crafted token: TypeError, RecursionError and others.
                raise Unauthenticated from None
            self._verified[token] = claims
        # Judged last: a token that is wrong in any other way was never good. RFC 7519 section 4.1.4: on its expiry
        # a token has expired.
        if claims.expires_at <= time.time():
            raise TokenExpired
        return claims

    def _verify(self, token: str) -> Claims:
        # jose does not look at the header's `typ`, and passes over a `crit` that it does not know.
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or "crit" in header:
            raise Unauthenticated
        claims: dict[str, Any] = jwt.decode(
            token,
            self.secret,
            algorithms=[self.algorithm],
            audience=AUDIENCE,
            issuer=self.issuer,
            options={**_REQUIRED, "verify_exp": False},
        )
        if type(claims["exp"]) is not int or claims["aud"] != AUDIENCE:
            raise Unauthenticated
        return Claims(
            Caller(UUID(claims["sub"]), UUID(claims["sid"])),
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            token_id=claims["jti"],
        )
