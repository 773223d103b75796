"""Another clock for this process, as another machine has."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest

from domain import token_bucket
from domain.providers import cached


@contextmanager
def moved_clock(by: timedelta) -> Iterator[None]:
    """Move `datetime.now` for all modules of the domain while the block runs."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + by

    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("domain.") and getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", Moved)
        yield


@contextmanager
def stopped_buckets() -> Iterator[None]:
    """Stop the clock of token buckets while the block runs: nothing is refilled, however long the
    block takes."""
    now = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_bucket, "time", SimpleNamespace(monotonic=lambda: now))
        yield


class CacheClock:
    """The clock of what is kept of identity providers. It stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def move(self, seconds: float) -> None:
        self.now += seconds


@contextmanager
def stopped_caches() -> Iterator[CacheClock]:
    """Stop the clock of what is kept of identity providers while the block runs."""
    clock = CacheClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cached, "time", SimpleNamespace(monotonic=lambda: clock.now))
        yield clock
