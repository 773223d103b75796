"""`gatehouse serve`: serve the API, with one process or with several.

With `WORKERS=1`, the process that was started serves.

With more, that process is the parent of the workers, and does not serve itself:

- The parent (`server/supervisor.py`) binds the address, starts the workers, and replaces a worker
  that exits or hangs. It does not open the database.
- A worker (`server/worker.py`) is a new Python process that reads the settings, prepares the
  database and serves the parent's socket. Workers share only the database and Redis. A worker
  drains when its parent tells it to, or has exited.

| Signal | The single process | The parent | A worker |
|---|---|---|---|
| SIGTERM, SIGINT | drain, exit with 0 | drain all workers, exit with 0 | drain; ignore SIGINT |
| a second of them | exit at once | kill all workers, exit at once | ignore |
| SIGHUP | drain, exit with 0 | replace the workers one at a time | ignore |

SIGHUP is held back until a process can handle it (`server/process.py`).

An old worker drains when its replacement serves. A single process has no replacement, so SIGHUP
stops it. A worker that exits by itself, or by its own SIGTERM, is replaced.

To **drain** (`server/shutdown.py`) is to accept no new connections, finish open requests, close
WebSockets with 1012 and exit, within SHUTDOWN_GRACE_SECONDS. Requests that take longer are
cancelled, and their clients get the error UNAVAILABLE. A few seconds later the process exits in any
case.
"""

import asyncio
import logging
import socket
import sys

from api.telemetry import exporter, logs
from domain.rate_limits import IN_MEMORY
from server.application import configure, run
from server.listener import listening
from server.process import (
    exit_on_signals,
    keep_freed_memory,
    open_standard_streams,
    raise_limit_of_open_files,
)
from server.shutdown import Server
from server.supervisor import CannotStart, Supervisor
from settings import Settings, load_settings

logger = logging.getLogger("gatehouse")


def serve(*, workers: int | None = None) -> None:
    """Serve until a signal stops the process. ``workers`` overrides WORKERS. Raises SystemExit."""
    open_standard_streams()
    settings = load_settings(workers=workers)
    logs.configure(settings)
    exit_on_signals()
    raise_limit_of_open_files()
    keep_freed_memory()
    with listening(settings) as listeners, exporter.serving_metrics(settings, settings.workers):
        if settings.workers == 1:
            server = Server(configure(settings), settings.shutdown_grace)
            _announce(settings, listeners)
            run(server, settings, listeners)
        else:
            _supervise(settings, listeners)


def _supervise(settings: Settings, listeners: list[socket.socket]) -> None:
    if sys.platform == "win32":
        raise SystemExit("gatehouse: WORKERS must be 1 on Windows")
    supervisor = Supervisor(
        settings.workers,
        listeners,
        grace=settings.shutdown_grace,
        on_ready=lambda: _announce(settings, listeners),
        on_worker_exit=exporter.forget,
    )
    try:
        asyncio.run(supervisor.run())
    except CannotStart:
        raise SystemExit(1) from None


def _announce(settings: Settings, listeners: list[socket.socket]) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    port = listeners[0].getsockname()[1]
    page = "graphql" if settings.allows("graphiql") else "docs"
    logger.info("Gatehouse: open http://%s:%d/%s in a browser. Ctrl+C stops it.", host, port, page)
    if settings.workers > 1 and settings.rate_limit_storage_url.get_secret_value() == IN_MEMORY:
        logger.warning(
            "Each of the %d workers has its own rate limits, so clients get %d times as many"
            " attempts. Set RATE_LIMIT_STORAGE_URL to a Redis that all workers share.",
            settings.workers,
            settings.workers,
        )
