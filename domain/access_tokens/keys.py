"""The keys that sign access tokens, and when each of them signs and verifies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from domain.access_tokens import jwk
from domain.access_tokens.jwk import PrivateKey, PublicKey, UnusableKey

# How long other services may cache the public keys.
MAX_AGE = timedelta(minutes=5)

# A new key is published for this long before it signs. By then every cache has expired, with time
# to spare for clocks and proxies.
PUBLISHED_AHEAD = 2 * MAX_AGE

# The minimum: by then every process has read the key, since each checks for keys every second.
PUBLISHED_AHEAD_MINIMUM = timedelta(seconds=10)

# A retired key may still sign for this long, in processes that have not read the change or whose
# clock is behind.
SKEW = timedelta(minutes=1)


class CannotRetire(Exception):
    """The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key for one algorithm (RFC 8725 section 3.1).

    Times are in seconds since 1970. Without ``verifies_until`` the key is in use; after that time
    its tokens are invalid. A retired key has no ``private`` key.
    """

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
            # On a command line it would be read as an option.
            return cls.generate(algorithm, made_at=made_at, signs_from=signs_from)
        return cls(kid, algorithm, made_at, signs_from, None, private.public_key(), private)

    @classmethod
    def of_jwk(cls, members: object) -> Self:
        """Parse a JWK. Raises UnusableKey for anything that ``as_jwk`` did not make."""
        if not isinstance(members, Mapping):
            raise UnusableKey("it is not a JSON object")
        algorithm = members.get("alg")
        if algorithm not in jwk.ALGORITHMS:
            raise UnusableKey("its `alg` must be ES256 or RS256")
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
        """Return the public members (RFC 7517 section 4)."""
        public = jwk.public_members(self.public)
        return {**public, "use": "sig", "alg": self.algorithm, "kid": self.kid}

    def as_jwk(self) -> dict[str, object]:
        """Return all members. The times have the names of a JWT's."""
        private = jwk.private_members(self.private) if self.private else {}
        times = {"iat": self.made_at, "nbf": self.signs_from, "exp": self.verifies_until}
        present = {name: time for name, time in times.items() if time is not None}
        return {**self.as_public_jwk(), **present, **private}

    def retired(self, *, until: float) -> Self:
        return replace(self, private=None, verifies_until=int(until))

    def has_ended(self, now: float) -> bool:
        return self.verifies_until is not None and self.verifies_until <= now


class KeyRing:
    """The keys that this process knows. They are replaced all at once, so a reader sees the old
    ones or the new ones."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.replace(keys)

    def replace(self, keys: Iterable[Key]) -> None:
        self._keys = {key.kid: key for key in keys}

    def find(self, kid: object) -> Key | None:
        return self._keys.get(kid) if isinstance(kid, str) else None

    def all(self) -> list[Key]:
        """Return all keys, the oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.signs_from, key.kid))

    def published(self, now: float) -> list[Key]:
        """Return the keys that verify tokens, now or soon."""
        return [key for key in self.all() if not key.has_ended(now)]

    def signing(self, algorithm: str, now: float) -> Key | None:
        """Return the newest key whose time to sign has come, or else the oldest one, since some key
        must sign."""
        able = [key for key in self.all() if key.private and key.algorithm == algorithm]
        due = [key for key in able if key.signs_from <= now]
        return due[-1] if due else min(able, key=lambda key: key.made_at, default=None)

    def new(self, algorithm: str, *, now: float, soon: bool = False) -> Key:
        """Make a key that signs once other services have had the time to fetch it or, with
        ``soon``, once all processes have read it. The first key signs at once."""
        ahead = PUBLISHED_AHEAD_MINIMUM if soon else PUBLISHED_AHEAD
        if self.signing(algorithm, now) is None:
            ahead = timedelta(0)
        return Key.generate(
            algorithm, made_at=int(now), signs_from=int(now + ahead.total_seconds())
        )

    def retire(
        self, kid: str, algorithm: str, *, now: float, lifetime: timedelta, compromised: bool
    ) -> Key:
        """Return the retired key. It verifies until the last of its tokens expires, after
        ``lifetime``; a ``compromised`` key stops verifying at once.

        Raises CannotRetire.
        """
        key = self.find(kid)
        if key is None:
            raise CannotRetire(
                "There is no key with this id. `gatehouse keys list` shows all keys."
            )
        if key.verifies_until is not None and not compromised:
            raise CannotRetire("This key is already retired.")
        if key.private and key.algorithm == algorithm:
            self._require_another(key, now, compromised=compromised)
        return key.retired(until=now if compromised else now + (lifetime + SKEW).total_seconds())

    def _require_another(self, key: Key, now: float, *, compromised: bool) -> None:
        others = KeyRing(other for other in self.all() if other is not key)
        another = others.signing(key.algorithm, now)
        if another is None:
            raise CannotRetire(
                f"No other key can sign with {key.algorithm}. Make one with `gatehouse keys new` first."
            )
        if another.signs_from > now and not compromised:
            raise CannotRetire(
                "No other key may sign yet, because other services may not have fetched it."
                " `gatehouse keys list` shows from when it signs."
            )


def _time(members: Mapping[str, object], name: str) -> int:
    value = members.get(name)
    if type(value) is not int:
        raise UnusableKey(f"its `{name}` must be a time in seconds since 1970")
    return value
