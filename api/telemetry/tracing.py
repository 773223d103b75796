"""Traces: a span for each request and each statement, sent where the standard variables (OTEL_*)
say.

The spans are Gatehouse's own. FastAPI's instrumentation and others would record the query string,
which may be a document with a password in it.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, ExecutionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from api.headers import Header
from api.telemetry.request import WEBSOCKET, RequestRecord
from domain.errors import ErrorCode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

logger = logging.getLogger("gatehouse")

# How long a shutdown waits for the collector to take the last spans.
TIMEOUT = timedelta(seconds=2)

FAULTS = frozenset((ErrorCode.INTERNAL_ERROR, ErrorCode.UNAVAILABLE))

_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("gatehouse")

    @contextmanager
    def trace(self, record: RequestRecord, headers: Sequence[Header]) -> Iterator[None]:
        """Span a request, as a child of the span that ``traceparent`` names, if it does (W3C Trace
        Context)."""
        span = self._tracer.start_span(
            record.method, context=_caller_in(headers), kind=SpanKind.SERVER
        )
        record.trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        # A recorded exception would include its text.
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield
            finally:
                _describe(span, record)

    def follow(self, *engines: AsyncEngine) -> None:
        for engine in engines:
            _Statements(self._tracer, engine)

    async def close(self) -> None:
        """Send what is left, without waiting for a collector that is not available."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, TIMEOUT.total_seconds())


def from_environment() -> Tracing | None:
    """Return the tracing that the variables of the OpenTelemetry specification ask for, or None.

    Unlike there, traces are off if no variable is set.
    """
    if not are_on(os.environ):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning(
            "OTEL_* turns traces on, which need `pip install opentelemetry-sdk"
            " opentelemetry-exporter-otlp-proto-http`."
        )
        return None
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "gatehouse"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


def are_on(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER")
    if exporter not in (None, "", "otlp", "none"):
        logger.warning("OTEL_TRACES_EXPORTER must be otlp or none. Traces are off.")
    has_endpoint = any(
        environment.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT")
    )
    return exporter == "otlp" or (not exporter and has_endpoint)


def _caller_in(headers: Sequence[Header]) -> Any:
    """Return the caller's context. None means the current span: an operation's is a child of its
    WebSocket's."""
    carrier = {
        name.decode(): value.decode("latin-1")
        for name, value in headers
        if name in (b"traceparent", b"tracestate")
    }
    return _PROPAGATOR.extract(carrier) if carrier else None


def _describe(span: Span, record: RequestRecord) -> None:
    """Set the attributes of the semantic conventions for HTTP and GraphQL servers, without
    documents and unmatched paths."""
    is_operation = record.method == WEBSOCKET and record.operation_type is not None
    span.update_name(
        str(record.operation_type)
        if is_operation
        else f"{record.method} {record.route or ''}".rstrip()
    )
    known = {
        "http.request.method": None if record.method == WEBSOCKET else record.method,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "client.address": record.ip,
        "graphql.operation.type": record.operation_type,
        "graphql.operation.name": record.operation_name,
        "error.type": _fault(record),
    }
    span.set_attributes({name: value for name, value in known.items() if value is not None})
    if _fault(record):
        span.set_status(Status(StatusCode.ERROR))


def _fault(record: RequestRecord) -> str | None:
    """Return the error type of a server error. A client's mistake is not one."""
    for code in record.codes:
        if code in FAULTS:
            return code
    return str(record.status) if (record.status or 0) >= 500 else None


class _Statements:
    """A span for each statement of an engine. The text has placeholders, and the values are not
    recorded."""

    def __init__(self, tracer: Tracer, engine: AsyncEngine) -> None:
        self._tracer = tracer
        self._system = engine.dialect.name
        for name, listener in (
            ("before_cursor_execute", self._begin),
            ("after_cursor_execute", self._end),
            ("handle_error", self._fail),
        ):
            event.listen(engine.sync_engine, name, listener)

    def _begin(
        self, _: object, __: object, statement: str, ___: object, context: Any, ____: bool
    ) -> None:
        verb = statement.split(maxsplit=1)[0].upper() if statement else "?"
        context.gatehouse_span = self._tracer.start_span(
            verb,
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": self._system,
                "db.operation.name": verb,
                "db.query.text": statement,
            },
        )

    def _end(
        self, _: object, __: object, ___: str, ____: object, context: ExecutionContext, _____: bool
    ) -> None:
        _span_of(context).end()

    def _fail(self, failed: ExceptionContext) -> None:
        span = _span_of(failed.execution_context)
        span.set_attribute("error.type", type(failed.original_exception).__name__)
        span.set_status(Status(StatusCode.ERROR))
        span.end()


def _span_of(context: ExecutionContext | None) -> Span:
    found: Span = getattr(context, "gatehouse_span", trace.INVALID_SPAN)
    return found
