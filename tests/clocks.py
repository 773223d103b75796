"""Another clock for this process, as another machine has."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest


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
