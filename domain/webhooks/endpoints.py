"""The endpoints of webhooks, and what they are told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256

from domain.events import EventType, Subscription
from domain.outbox import OutboxKind


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that is called. ``number`` is its place in the settings, from 1 on, by which the
    log and the metrics call it."""

    number: int
    url: str = field(repr=False)

    @property
    def target(self) -> str:
        """What the outbox knows it by: the same in any order of the settings, and without the
        address, which may have a secret."""
        return sha256(self.url.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of a server. Every secret signs, so that one can be replaced by another."""

    endpoints: tuple[Endpoint, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    types: frozenset[EventType] = frozenset()

    def subscriptions(self) -> list[Subscription]:
        return [
            Subscription(OutboxKind.WEBHOOK, endpoint.target, self.types)
            for endpoint in self.endpoints
        ]

    def number_of(self, target: str | None) -> int | None:
        """Return the number of the endpoint with this target, or None if there is none any more."""
        for endpoint in self.endpoints:
            if endpoint.target == target:
                return endpoint.number
        return None


def types_matching(patterns: Iterable[str]) -> frozenset[EventType]:
    """Return the types of events that match patterns such as ``user.*``. Raises ValueError for a
    pattern that matches none."""
    types: set[EventType] = set()
    for pattern in patterns:
        matched = {type for type in EventType if fnmatchcase(type, pattern)}
        if not matched:
            raise ValueError(f"no event matches {pattern}")
        types |= matched
    return frozenset(types)
