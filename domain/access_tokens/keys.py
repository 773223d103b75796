"""The keys that sign access tokens, and when each of them signs and verifies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from domain.access_tokens import jwk
from domain.access_tokens.jwk import PrivateKey, PublicKey, UnusableKey

# How long the other services may keep the public keys that they have fetched.
MAX_AGE = timedelta(minutes=5)

# A new key is published for so long before it signs: whoever has kept the keys for MAX_AGE has fetched it by then, with
# time to spare for clocks and proxies.
PUBLISHED_AHEAD = 2 * MAX_AGE

# The least of it: by then every process has read the key, which looks for keys each second, whatever its clock.
READ_BY_ALL = timedelta(seconds=10)

# A key that is retired may sign for so long yet, in processes that have not looked, or whose clock is behind.
SKEW = timedelta(minutes=1)


class CannotRetire(Exception):
    """Its text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, for one algorithm (RFC 8725 section 3.1). Times in seconds since 1970; without ``verifies_until`` it is in
    use, and after it no token of the key is good for anything. A retired key has no ``private`` half."""

    kid: str
    algorithm: str
    made_at: int
    signs_from: int
    verifies_until: int | None
    public: PublicKey = field(repr=False)
    private: PrivateKey | None = field(repr=False)

    @classmethod
    def generate(cls, algorithm: str, *, made_at: int, signs_from: int) -> Self:
        private = jwk.generate(algorithm)
        kid = jwk.thumbprint(private.public_key())
        if kid.startswith("-"):
            # On a command line it would read as an option.
            return cls.generate(algorithm, made_at=made_at, signs_from=signs_from)
        return cls(kid, algorithm, made_at, signs_from, None, private.public_key(), private)

    @classmethod
    def of_jwk(cls, members: object) -> Self:
        """Raises UnusableKey for anything but what ``as_jwk`` has made."""
        if not isinstance(members, Mapping):
            raise UnusableKey("it is no JSON object")
        algorithm = members.get("alg")
        if algorithm not in jwk.ALGORITHMS:
            raise UnusableKey("its `alg` is neither ES256 nor RS256")
        public, private = jwk.read(members, algorithm)
        kid = jwk.thumbprint(public)
        if members.get("kid") != kid:
            raise UnusableKey("its `kid` is not its thumbprint")
        until = _time(members, "exp") if "exp" in members else None
        if until is not None:
            private = None
        return cls(
            kid, algorithm, _time(members, "iat"), _time(members, "nbf"), until, public, private
        )

    def as_public_jwk(self) -> dict[str, str]:
        """What anyone may see (RFC 7517 section 4)."""
        public = jwk.public_members(self.public)
        return {**public, "use": "sig", "alg": self.algorithm, "kid": self.kid}

    def as_jwk(self) -> dict[str, object]:
        """All of it, its times named as those of a JWT are."""
        private = jwk.private_members(self.private) if self.private else {}
        times = {"iat": self.made_at, "nbf": self.signs_from, "exp": self.verifies_until}
        present = {name: time for name, time in times.items() if time is not None}
        return {**self.as_public_jwk(), **present, **private}

    def retired(self, *, until: float) -> Self:
        return replace(self, private=None, verifies_until=int(until))

    def has_ended(self, now: float) -> bool:
        return self.verifies_until is not None and self.verifies_until <= now


class KeyRing:
    """The keys that this process knows. They are replaced all at once: who reads meanwhile sees the old ones or the new."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.replace(keys)

    def replace(self, keys: Iterable[Key]) -> None:
        self._keys = {key.kid: key for key in keys}

    def find(self, kid: object) -> Key | None:
        return self._keys.get(kid) if isinstance(kid, str) else None

    def all(self) -> list[Key]:
        """The oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.signs_from, key.kid))

    def published(self, now: float) -> list[Key]:
        """Those by which a token may be verified, now or soon."""
        return [key for key in self.all() if not key.has_ended(now)]

    def signing(self, algorithm: str, now: float) -> Key | None:
        """The newest whose time has come; or else the one that was made first, as somebody has to sign."""
        able = [key for key in self.all() if key.private and key.algorithm == algorithm]
        due = [key for key in able if key.signs_from <= now]
        return due[-1] if due else min(able, key=lambda key: key.made_at, default=None)

    def new(self, algorithm: str, *, now: float, soon: bool = False) -> Key:
        """A key that signs when everyone has had the time to fetch it; ``soon``, when all processes have. The first one
        signs at once."""
        ahead = READ_BY_ALL if soon else PUBLISHED_AHEAD
        if self.signing(algorithm, now) is None:
            ahead = timedelta(0)
        return Key.generate(
            algorithm, made_at=int(now), signs_from=int(now + ahead.total_seconds())
        )

    def retire(
        self, kid: str, algorithm: str, *, now: float, lifetime: timedelta, compromised: bool
    ) -> Key:
        """The key as it is from now on. It verifies until the last of its tokens has ended, which live for ``lifetime``;
        ``compromised``, nothing any more.

        Raises CannotRetire.
        """
        key = self.find(kid)
        if key is None:
            raise CannotRetire("There is no such key: `gatehouse keys list` shows all.")
        if key.verifies_until is not None and not compromised:
            raise CannotRetire("This key is retired already.")
        if key.private and key.algorithm == algorithm:
            self._require_another(key, now, compromised=compromised)
        return key.retired(until=now if compromised else now + (lifetime + SKEW).total_seconds())

    def _require_another(self, key: Key, now: float, *, compromised: bool) -> None:
        others = KeyRing(other for other in self.all() if other is not key)
        another = others.signing(key.algorithm, now)
        if another is None:
            raise CannotRetire(
                f"No other key can sign by {key.algorithm}: make one with `gatehouse keys new` first."
            )
        if another.signs_from > now and not compromised:
            raise CannotRetire(
                "No other key is old enough to sign, as other services may not have fetched it yet:"
                " `gatehouse keys list` says from when."
            )


def _time(members: Mapping[str, object], name: str) -> int:
    value = members.get(name)
    if type(value) is not int:
        raise UnusableKey(f"its `{name}` is no time in seconds since 1970")
    return value
