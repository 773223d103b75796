"""The log: a line for each exchange and for whatever else is worth saying, as JSON or to be read, and without secrets."""

import json
import logging
import logging.config
import traceback
from datetime import UTC, datetime
from typing import Any

from api.telemetry.request import Exchange, request_id
from settings import Settings

access = logging.getLogger("gatehouse.access")

# The name of the attribute under which a record carries its exchange.
_EXCHANGE = "exchange"


def log_config(settings: Settings) -> dict[str, Any]:
    """For `logging.config.dictConfig`, or for uvicorn, whose own log of requests has no place in it."""
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
    """Write the log of this process, with Python's warnings in it."""
    logging.config.dictConfig(log_config(settings))
    logging.captureWarnings(True)
    # No line has any of it, and it takes a tenth of the time of one.
    for what in ("Threads", "Processes", "Multiprocessing", "AsyncioTasks"):
        setattr(logging, f"log{what}", False)


def is_configured() -> bool:
    """Whether someone has said already where our log goes."""
    return logging.getLogger("gatehouse").hasHandlers()


def log_exchange(exchange: Exchange) -> None:
    if access.isEnabledFor(logging.INFO):
        access.info(_in_a_line(exchange), extra={_EXCHANGE: exchange})


def _in_a_line(exchange: Exchange) -> str:
    words = (
        exchange.method,
        exchange.route or "(no route)",
        str(exchange.status),
        exchange.operation_type,
        exchange.operation_name or ",".join(exchange.fields),
        *exchange.codes,
        f"{exchange.seconds * 1000:.1f} ms",
    )
    return " ".join(word for word in words if word)


class Stream(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """A log that cannot be written (a full disk, a closed pipe) fails no request, and there is nowhere to say so."""


class JsonLines(logging.Formatter):
    """One object a line (RFC 8259), all of it ASCII: nothing in it can end the line or move a cursor."""

    def format(self, record: logging.LogRecord) -> str:
        exchange: Exchange | None = getattr(record, _EXCHANGE, None)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "request_id": exchange.request_id if exchange else request_id(),
            **(_as_fields(exchange) if exchange else {}),
            "traceback": _traceback(record),
        }
        return json.dumps({name: value for name, value in line.items() if value})


def _as_fields(exchange: Exchange) -> dict[str, object]:
    return {
        "method": exchange.method,
        "route": exchange.route,
        "status": exchange.status,
        "operation_type": exchange.operation_type,
        "operation_name": exchange.operation_name,
        "fields": exchange.fields,
        "codes": exchange.codes,
        "duration_ms": round(exchange.seconds * 1000, 3),
        "user_id": exchange.user_id,
        "ip": exchange.ip,
        "trace_id": exchange.trace_id,
    }


class TextLines(logging.Formatter):
    """For whoever develops. What is not printable is escaped; only the frames of a traceback are lines of their own."""

    def format(self, record: logging.LogRecord) -> str:
        exchange: Exchange | None = getattr(record, _EXCHANGE, None)
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        known_as = exchange.request_id if exchange else request_id()
        line = f"{time} {record.levelname:<7} {_printable(_message(record))}"
        if known_as:
            line += f" [{known_as}]"
        trace = _traceback(record)
        return f"{line}\nTraceback (most recent call last):\n{trace.rstrip()}" if trace else line


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # asyncio goes on with the repr of what has failed, and that with the text of its error.
    return message.partition("\n")[0] if record.name == "asyncio" else message.rstrip()


def _traceback(record: logging.LogRecord) -> str | None:
    """Where an error came from and its class, not its text: that may quote what a client sent, or a row."""
    kind, error, frames = record.exc_info or (None, None, None)
    if kind is None or error is None:
        trace: str | None = getattr(record, "traceback", None)
        return trace
    return "".join(traceback.format_tb(frames)) + f"{kind.__module__}.{kind.__qualname__}"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class _KeepOut(logging.Filter):
    """Cuts the query string off the paths that uvicorn logs: a GraphQL document sent by GET may hold a password. Of what it
    says about WebSockets, a path of any kind included, ours say all there is to know."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] if isinstance(argument, str) else argument
                for argument in record.args
            )
        is_ours_to_say = str(record.msg).startswith(('%s - "WebSocket', "connection "))
        return record.levelno > logging.INFO or not is_ours_to_say


_keep_out = _KeepOut()


def keep_secrets_out_of_logs() -> None:
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_keep_out)
