"""The application in uvicorn, as both a single process and a worker serve it."""

import asyncio
import socket

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from api.database import SchemaOutOfDate, create_engine_from, may_come_back, prepare_database
from api.middleware.request_limits import MAX_BODY_BYTES
from db.errors import reason
from server.listener import cannot_listen
from server.protocol import BoundedHttp
from server.shutdown import Server, ShutdownResponder
from settings import Settings


def configure(settings: Settings) -> uvicorn.Config:
    """Prepare the database and create the application.

    Raises SystemExit, with one line, if the application cannot be served.
    """
    # The application prepares the database too, for other servers than this one. Here it is done
    # first, so that an error is one line and not a traceback.
    asyncio.run(_prepare_database(settings))
    return uvicorn.Config(
        ShutdownResponder(create_app(settings)),
        server_header=False,
        # The application trusts TRUSTED_PROXIES; uvicorn would trust this machine.
        proxy_headers=False,
        http=BoundedHttp,
        timeout_keep_alive=settings.keep_alive_seconds,
        ws_max_size=MAX_BODY_BYTES,
        # `logs.configure` has configured logging, and `log_request` logs the requests.
        log_config=None,
        access_log=False,
        # The workers of `server/supervisor.py` replace those of uvicorn.
        workers=1,
    )


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
    except SchemaOutOfDate as error:
        raise SystemExit(f"gatehouse: {error}") from None
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise SystemExit(f"gatehouse: {reason(error)}") from None
    finally:
        await engine.dispose()
