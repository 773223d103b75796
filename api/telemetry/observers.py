"""The observers of requests: the log, the metrics and the traces."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from api.headers import Header
from api.telemetry.request import RequestRecord, current_record


@dataclass(frozen=True, slots=True)
class RequestObservers:
    """``observers`` are called with each record at its end. ``trace`` spans a request from its
    start, if traces are on."""

    observers: Sequence[Callable[[RequestRecord], None]] = ()
    trace: Callable[[RequestRecord, Sequence[Header]], AbstractContextManager[None]] | None = None

    @contextmanager
    def observe(self, record: RequestRecord, headers: Sequence[Header] = ()) -> Iterator[None]:
        """Make the record the current one, and report it at the end of the block. ``headers`` are
        the request's."""
        outer = current_record.set(record)
        try:
            with self.trace(record, headers) if self.trace else nullcontext():
                try:
                    yield
                except Exception:
                    record.status = record.status or 500
                    raise
                finally:
                    record.end()
        finally:
            for observer in self.observers:
                observer(record)
            current_record.reset(outer)
