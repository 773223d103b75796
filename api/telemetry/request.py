"""The record of one request: what logs, metrics and traces know of it, collected on the way."""

import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from graphql_schema.context import Context

# The method of the record of a WebSocket.
WEBSOCKET = "WEBSOCKET"

# An operation's name can be as long as its document.
MAX_NAME_LENGTH = 64

# nginx's status for a client that disconnected before the response. It is never sent.
CLIENT_CLOSED_REQUEST = 499


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """A request with its response, or an operation over a WebSocket.

    It holds no secrets, and what a client chose only in bounded, harmless form. ``route`` is the
    template that the path matched, or None. ``codes`` are the codes of the errors in the response.
    ``user_id`` is the user of the token, if one was read. ``started`` and ``seconds`` are times of
    `time.perf_counter`. ``events`` is the number of events that a subscription was sent, or None.
    ``context`` is the operation's.
    """

    request_id: str = "-"
    method: str = "-"
    route: str | None = None
    ip: str | None = None
    status: int | None = None
    operation_type: str | None = None
    operation_name: str | None = None
    fields: Sequence[str] = ()
    codes: Sequence[str] = ()
    user_id: str | None = None
    trace_id: str | None = None
    events: int | None = None
    context: Context | None = field(default=None, repr=False)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.started
        self.status = self.status or CLIENT_CLOSED_REQUEST
        if self.context:
            self._copy_from(self.context)

    def _copy_from(self, context: Context) -> None:
        """Copy what the graph knows of the operation, however far it came."""
        if context.operation is not None:
            name = context.operation.name
            self.operation_type = context.operation.operation.value
            self.operation_name = name.value[:MAX_NAME_LENGTH] if name else None
        self.fields, self.user_id = context.root_fields, context.user_id
        self.codes = self.codes or context.codes


current_record: ContextVar[RequestRecord | None] = ContextVar("request_record", default=None)


def current() -> RequestRecord:
    """Return the record of the current request or, outside of one, an unused record."""
    return current_record.get() or RequestRecord()


def request_id() -> str | None:
    """Return the ``X-Request-ID`` of the current request, or None outside of a request."""
    record = current_record.get()
    return record.request_id if record else None
