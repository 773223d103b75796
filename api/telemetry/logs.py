"""The log: a line for each request and other events, as JSON or text, without secrets."""

import json
import logging
import logging.config
import traceback
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from api.telemetry.request import RequestRecord, request_id
from settings import Settings

access = logging.getLogger("gatehouse.access")

# The attribute of a log record that holds the request's record.
_REQUEST = "request_record"

# What a line says of a request, if it is known.
_FIELDS = (
    "request_id",
    "method",
    "route",
    "status",
    "operation_type",
    "operation_name",
    "fields",
    "codes",
    "events",
    "user_id",
    "ip",
    "trace_id",
)
_values_of = attrgetter(*_FIELDS)


def log_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`. It drops uvicorn's own log of
    requests."""
    lines = JsonLines if settings.logs_json else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.{lines.__name__}"}},
        "handlers": {
            "log": {
                "class": f"{__name__}.Stream",
                "formatter": "lines",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["log"], "level": "WARNING"},
        "loggers": {
            "gatehouse": {"level": settings.log_level},
            "uvicorn": {"level": settings.log_level, "handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


def configure(settings: Settings) -> None:
    """Configure the log of this process, and add Python's warnings to it."""
    logging.config.dictConfig(log_config(settings))
    logging.captureWarnings(True)
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_secrets_filter)
    # No line uses these, and collecting them takes a tenth of the time of a line.
    for what in ("Threads", "Processes", "Multiprocessing", "AsyncioTasks"):
        setattr(logging, f"log{what}", False)


def log_request(request: RequestRecord) -> None:
    if access.isEnabledFor(logging.INFO):
        # Without `Logger.info`, which looks for its caller in the frames of the stack.
        record = logging.LogRecord(access.name, logging.INFO, "", 0, _to_line(request), (), None)
        setattr(record, _REQUEST, request)
        access.handle(record)


def _to_line(request: RequestRecord) -> str:
    words = (
        request.method,
        request.route or "(no route)",
        str(request.status),
        request.operation_type,
        request.operation_name or ",".join(request.fields),
        *request.codes,
        None if request.events is None else f"{request.events} events",
        f"{request.seconds * 1000:.1f} ms",
    )
    return " ".join(word for word in words if word)


class Stream(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Ignore a log that cannot be written (a full disk, a closed pipe): it must not fail a
        request."""


class JsonLines(logging.Formatter):
    """A formatter for JSON (RFC 8259), one object a line, in ASCII: no value can end the line."""

    def format(self, record: logging.LogRecord) -> str:
        request: RequestRecord | None = getattr(record, _REQUEST, None)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if request:
            values = zip(_FIELDS, _values_of(request), strict=True)
            line.update(pair for pair in values if pair[1] or pair[1] == 0)
            line["duration_ms"] = round(request.seconds * 1000, 3)
        elif found := request_id():
            line["request_id"] = found
        if trace := _traceback(record):
            line["traceback"] = trace
        return json.dumps(line)


class TextLines(logging.Formatter):
    """A formatter for text, for development. Unprintable characters are escaped, and only a
    traceback has more lines."""

    def format(self, record: logging.LogRecord) -> str:
        request: RequestRecord | None = getattr(record, _REQUEST, None)
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        shown_id = request.request_id if request else request_id()
        line = f"{time} {record.levelname:<7} {_printable(_message(record))}"
        if shown_id:
            line += f" [{shown_id}]"
        trace = _traceback(record)
        return f"{line}\nTraceback (most recent call last):\n{trace.rstrip()}" if trace else line


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # asyncio appends the repr of what failed, which has the text of the error.
    return message.partition("\n")[0] if record.name == "asyncio" else message.rstrip()


def _traceback(record: logging.LogRecord) -> str | None:
    """Return the frames and the class of an error, without its text, which may quote a client's
    input or a row."""
    kind, error, frames = record.exc_info or (None, None, None)
    if kind is None or error is None:
        trace: str | None = getattr(record, "traceback", None)
        return trace
    return "".join(traceback.format_tb(frames)) + f"{kind.__module__}.{kind.__qualname__}"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class _SecretsFilter(logging.Filter):
    """Cuts the query string off the paths that uvicorn logs: a document sent by GET may hold a
    password. Drops uvicorn's lines about WebSockets, which repeat what Gatehouse logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] if isinstance(argument, str) else argument
                for argument in record.args
            )
        is_repeated = str(record.msg).startswith(('%s - "WebSocket', "connection "))
        return record.levelno > logging.INFO or not is_repeated


_secrets_filter = _SecretsFilter()
