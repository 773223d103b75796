"""uvicorn's server, which ends in another way: nothing that was begun is lost, and the end is certain."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from socket import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import error_response
from domain.errors import Unavailable

logger = logging.getLogger("gatehouse")

# How long a connection without a request is kept, so that one which is already on its way gets its answer. Longer than a
# round trip, and longer than clients who ask without a pause take to ask again.
LINGER = timedelta(seconds=1)

# What may take so long each, when the grace is over: to cancel what is left, and to close everything.
TO_CLOSE = timedelta(seconds=2)

_CLOSE = (b"connection", b"close")


class ShutdownResponder:
    """Tells whoever is cut off at the end of the grace that their request has come to nothing, if it can be told yet."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            gone = Unavailable("The server is going down; try again in a moment.")
            response = error_response(scope, gone)
            response.headers["X-Request-ID"] = scope["state"]["request_id"]
            # An answer that has begun cannot begin again; the connection closes, which says as much.
            with suppress(RuntimeError):
                await response(scope, receive, send)


class Server(uvicorn.Server):
    """Serves until it is told to stop, then drains within the grace. The next signal ends it at once."""

    def __init__(self, config: uvicorn.Config, grace: timedelta) -> None:
        super().__init__(config)
        self.grace = grace

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not raised again when all is done, as uvicorn does: whoever was asked to go and went exits with 0."""
        for stop in _stops():
            signal.signal(stop, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        for stop in _stops():
            signal.signal(stop, signal.SIG_DFL)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        logger.info("Finishing what has begun.")
        self._end_in_any_case()
        for accepting in (*self.servers, *(sockets or ())):
            accepting.close()
        await self._drain()
        await self._cut_off()
        await self.lifespan.shutdown()

    def _end_in_any_case(self) -> None:
        """A thread that does not come back, such as a hash of minutes, would otherwise be waited for."""
        after = self.grace + 3 * TO_CLOSE
        timer = threading.Timer(after.total_seconds(), _end_now)
        timer.daemon = True
        timer.start()

    async def _drain(self) -> None:
        state = self.server_state
        # To be read by requests that are still to come.
        state.default_headers = [*state.default_headers, _CLOSE]
        for connection in state.connections:
            if cycle := getattr(connection, "cycle", None):
                cycle.keep_alive = False
        linger = min(LINGER, self.grace)
        await _until(lambda: not state.connections, within=linger)
        for connection in tuple(state.connections):
            connection.shutdown()
        await _until(lambda: not (state.connections or state.tasks), within=self.grace - linger)

    async def _cut_off(self) -> None:
        state = self.server_state
        if tasks := tuple(state.tasks):
            logger.warning(
                "%d requests took longer than SHUTDOWN_GRACE_SECONDS, and are cancelled.",
                len(tasks),
            )
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=TO_CLOSE.total_seconds())
        await _until(lambda: not state.connections, within=TO_CLOSE / 10)
        for connection in tuple(state.connections):
            connection.transport.abort()


def _stops() -> Iterator[signal.Signals]:
    yield from (signal.SIGINT, signal.SIGTERM)
    # The terminal has closed, or someone asks for a restart, for which one process has no successor. `nohup` has it ignored.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


async def _until(is_so: Callable[[], bool], *, within: timedelta) -> None:
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    # uvicorn keeps plain sets, which nobody can wait for.
    while not is_so() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _end_now() -> None:
    logger.error("Something holds the process, which ends all the same.")
    os._exit(1)
