"""The queues of the outbox: what is sent together, and when again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class OutboxKind(StrEnum):
    MAIL = "MAIL"
    WEBHOOK = "WEBHOOK"
    HOOK = "HOOK"


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one kind, to one target if the kind has several, and how they are sent."""

    kind: OutboxKind
    target: str | None = None
    #: How many messages one process claims at a time, and for how long.
    batch_size: int = 10
    lease: timedelta = timedelta(seconds=60)
    #: How long a message waits after each attempt that failed.
    backoff: Sequence[timedelta] = ()
    #: Whether the last wait repeats until the message expires. Otherwise the message is given up.
    repeats: bool = False
    #: The share of a wait that is added at random, so that messages do not come back together.
    jitter: float = 0
    #: Whether a message that was given up keeps its payload, to be tried again.
    keeps_failed: bool = False

    def wait_after(self, attempts: int) -> timedelta | None:
        """Return how long to wait after an attempt that failed, or None if it was the last one."""
        if attempts > len(self.backoff) and not self.repeats:
            return None
        wait = self.backoff[min(attempts, len(self.backoff)) - 1]
        return wait * (1 + self.jitter * random.random())  # noqa: S311  # it spreads the load
