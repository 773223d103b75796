"""`gatehouse serve`: from the settings to a socket that is served, by one process or by several.

**One** (`WORKERS=1`): the process that was started serves.

**Several**: that process is the parent of as many workers, and serves nothing itself.

- The parent (`server/supervisor.py`) binds the address, starts the workers, replaces whoever ends or no longer shows that it
  lives, and passes on what it is told. It opens no database.
- A worker (`server/worker.py`) is a fresh Python that reads the settings, prepares the database and serves the parent's socket. Workers
  share what is in the database and in Redis, and nothing else. When its parent lets go of it, or is gone, it drains.

| Signal | to the one, or to the parent | to a worker |
|---|---|---|
| SIGTERM, SIGINT | drain, and exit with 0; the second one ends everything at once | SIGTERM: drain (it is replaced); SIGINT: nothing |
| SIGHUP | parent: replace the workers one by one, each when its successor serves; the one: drain, as it has no successor | nothing |

To **drain** (`server/shutdown.py`) is to accept no more, finish what has begun, close WebSockets with 1012 and go, in SHUTDOWN_GRACE_SECONDS. What
is left then is cancelled and told so; seconds later the process ends in any case.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from api.database import (
    SchemaOutOfDate,
    create_engine_from,
    may_come_back,
    prepare_database,
)
from api.middleware.request_limits import MAX_BODY_BYTES
from api.telemetry import exporter, logs
from db.errors import reason
from domain.rate_limits import IN_MEMORY
from server.protocol import BoundedHttp
from server.shutdown import Server, ShutdownResponder
from server.supervisor import CannotStart, Supervisor
from settings import Settings, load_settings

logger = logging.getLogger("gatehouse")

# Beyond what one process can make use of. (Some systems have no limit, or one that they then refuse.)
MAX_OPEN_FILES = 65_536

STANDARD_ERROR = 2


def serve(*, workers: int | None = None) -> None:
    _open_standard_streams()
    settings = load_settings(**({} if workers is None else {"workers": workers}))
    logs.configure(settings)
    _leave_at_a_signal()
    _raise_limit_of_open_files()
    with _bind(settings) as listener, exporter.serving_metrics(settings, settings.workers):
        if settings.workers == 1:
            server = Server(configure(settings), settings.shutdown_grace)
            _announce(settings, listener)
            run(server, settings, listener)
        else:
            _supervise(settings, listener)


def configure(settings: Settings) -> uvicorn.Config:
    """The application and its database, ready to be served. Raises SystemExit, with a line, for what keeps them from it."""
    # The application prepares the database as well, for whoever serves it by other means. Done first here, so that a
    # refusal is a line and no traceback.
    asyncio.run(_prepare_database(settings))
    return uvicorn.Config(
        ShutdownResponder(create_app(settings)),
        server_header=False,
        # The application trusts TRUSTED_PROXIES; uvicorn would trust this machine.
        proxy_headers=False,
        http=BoundedHttp,
        ws_max_size=MAX_BODY_BYTES,
        # `logs.configure` has done it, and `log_request` logs the requests.
        log_config=None,
        access_log=False,
        workers=1,  # of uvicorn's own kind
    )


def run(server: Server, settings: Settings, listener: socket.socket) -> None:
    """Until it has been told to stop. Raises SystemExit."""
    try:
        server.run([listener])
    except OSError as error:
        raise _cannot_listen(settings, error) from None


async def _prepare_database(settings: Settings) -> None:
    engine = create_engine_from(settings)
    try:
        await prepare_database(engine)
    except SchemaOutOfDate as refusal:
        raise SystemExit(f"gatehouse: {refusal}") from None
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise SystemExit(f"gatehouse: {reason(error)}") from None
    finally:
        await engine.dispose()


def _supervise(settings: Settings, listener: socket.socket) -> None:
    if sys.platform == "win32":
        raise SystemExit("gatehouse: WORKERS must be 1 on Windows")
    supervisor = Supervisor(
        settings.workers,
        listener,
        grace=settings.shutdown_grace,
        when_it_serves=lambda: _announce(settings, listener),
        when_one_ends=exporter.forget,
    )
    try:
        asyncio.run(supervisor.run())
    except CannotStart:
        raise SystemExit(1) from None


def _announce(settings: Settings, listener: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    port = listener.getsockname()[1]
    page = "graphql" if settings.allows("graphiql") else "docs"
    logger.info("Gatehouse: open http://%s:%d/%s in a browser. Ctrl+C stops it.", host, port, page)
    if settings.workers > 1 and settings.rate_limit_storage_url.get_secret_value() == IN_MEMORY:
        logger.warning(
            "Each worker counts attempts by itself, which makes %d times as many of them:"
            " set RATE_LIMIT_STORAGE_URL to a Redis that they share.",
            settings.workers,
        )


def _bind(settings: Settings) -> socket.socket:
    """Taken at once, so that it is known at once when it is not to be had; listened on by whoever is ready to serve."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise _cannot_listen(settings, error) from None
    return listener


def _cannot_listen(settings: Settings, error: OSError) -> SystemExit:
    return SystemExit(
        f"gatehouse: cannot listen on HOST {settings.host} and PORT {settings.port}: {error.strerror}"
    )


def _open_standard_streams() -> None:
    """Whoever starts us may have closed some of them. What is opened first would take their numbers: our socket the one that
    errors are printed to. (And libuv aborts when it is to close one of these.)"""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(opened, True)
    os.close(opened)


def _leave_at_a_signal() -> None:
    """Until there is a server, which has its own ways, nothing is to be finished. (PID 1 of a container has to say so, or
    SIGTERM does nothing.)"""

    def leave(_: int, __: FrameType | None) -> None:
        raise SystemExit(0)

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, leave)


def _raise_limit_of_open_files() -> None:
    """1024, as many systems have it, is what a thousand slow clients take."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
