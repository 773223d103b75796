"""The application in uvicorn, as both a single process and a worker serve it."""

import asyncio
import socket

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from api.database import create_engine_from, may_come_back, prepare_database
from api.middleware.request_limits import MAX_BODY_BYTES
from server.listener import cannot_listen
from server.process import return_freed_memory
from server.protocol import BoundedHttp
from server.shutdown import Server, ShutdownResponder
from server.websocket import BoundedWebSocket
from settings import Settings

# Rarely enough to cost nothing, and soon enough that a burst of large responses or of hashes
# leaves nothing a moment later.
RETURN_MEMORY_SECONDS = 10


def configure(settings: Settings) -> uvicorn.Config:
    """Prepare the database and create the application.

    Raises SystemExit, with one line, for settings that cannot be used, SchemaMismatch, or the
    driver's error.
    """
    # The application prepares the database too, for other servers than this one. Here it is done
    # first, so that `exit_in_a_line` sees an error. uvicorn would print its traceback.
    asyncio.run(_prepare_database(settings))
    return uvicorn.Config(
        ShutdownResponder(create_app(settings)),
        server_header=False,
        # The application trusts TRUSTED_PROXIES; uvicorn would trust this machine.
        proxy_headers=False,
        http=BoundedHttp,
        ws=BoundedWebSocket,
        timeout_keep_alive=settings.keep_alive_seconds,
        callback_notify=_return_freed_memory,
        timeout_notify=RETURN_MEMORY_SECONDS,
        ws_max_size=MAX_BODY_BYTES,
        # A kilobyte of compressed frames can be a megabyte of messages, which is parsed before it
        # can be counted. Documents are short, and compression under TLS leaks secrets (BREACH).
        ws_per_message_deflate=False,
        # `logs.configure` has configured logging, and `log_request` logs the requests.
        log_config=None,
        access_log=False,
        # The workers of `server/supervisor.py` replace those of uvicorn.
        workers=1,
    )


async def _return_freed_memory() -> None:
    # It takes about a millisecond for each 10 MiB. In a thread it would delay the event loop as
    # long, which waits for the lock of the memory, and a stop would wait for a free thread.
    return_freed_memory()


def run(server: Server, settings: Settings, listeners: list[socket.socket]) -> None:
    """Serve until the server is stopped. Raises SystemExit."""
    try:
        server.run(listeners)
    except OSError as error:
        raise cannot_listen(settings, error) from None


async def _prepare_database(settings: Settings) -> None:
    engine = create_engine_from(settings)
    try:
        await prepare_database(engine)
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise
    finally:
        await engine.dispose()
