"""Graceful shutdown: uvicorn's server, except that it finishes open requests and exits in time."""

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
from server.process import release_hangups

logger = logging.getLogger("gatehouse")

# Connections without a request stay open for this long, so that a request that is already on its
# way gets its response. Longer than a round trip, and than a busy client's time between requests.
LINGER = timedelta(seconds=1)

# After the grace period, for each of two steps: to cancel the remaining requests, and to close.
CLOSE_TIMEOUT = timedelta(seconds=2)

_CONNECTION_CLOSE = (b"connection", b"close")


class ShutdownResponder:
    """Responds with UNAVAILABLE to requests that are cancelled at the end of the grace period."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            error = Unavailable("The server is shutting down. Try again in a moment.")
            response = error_response(scope, error)
            response.headers["X-Request-ID"] = scope["state"]["request_id"]
            # A started response cannot be replaced. Its connection closes, which tells the client.
            with suppress(RuntimeError):
                await response(scope, receive, send)


class Server(uvicorn.Server):
    """Serves until a signal, then drains in the grace period. A second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, grace: timedelta) -> None:
        super().__init__(config)
        self.grace = grace

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals without raising them again at the end, as uvicorn does, so that a
        requested stop exits with 0."""
        for stop in _stop_signals():
            signal.signal(stop, self.handle_exit)
        release_hangups()
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        for stop in _stop_signals():
            signal.signal(stop, signal.SIG_DFL)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        logger.info("Shutting down: finishing open requests.")
        self._force_exit_later()
        await self._stop_listening(sockets or [])
        await self._drain()
        await self._cancel_remaining()
        await self.lifespan.shutdown()

    def _force_exit_later(self) -> None:
        """Exit after a time even if a thread still runs, for example a hash that takes minutes."""
        after = self.grace + 3 * CLOSE_TIMEOUT
        timer = threading.Timer(after.total_seconds(), _force_exit)
        timer.daemon = True
        timer.start()

    async def _stop_listening(self, listeners: list[socket]) -> None:
        """Close the listeners, and serve the connections that wait to be accepted.

        The kernel has opened these for their clients, whose requests may have arrived, and would
        reset them. A proxy does not repeat a POST that it has sent.
        """
        waiting = [connection for listener in listeners for connection in _accept_all(listener)]
        for server in self.servers:
            server.close()
        for listener in listeners:
            listener.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            with suppress(OSError):
                await loop.connect_accepted_socket(self._create_protocol, connection)

    def _create_protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    async def _drain(self) -> None:
        state = self.server_state
        # Later requests read these headers.
        state.default_headers = [*state.default_headers, _CONNECTION_CLOSE]
        for connection in state.connections:
            if cycle := getattr(connection, "cycle", None):
                cycle.keep_alive = False
        linger = min(LINGER, self.grace)
        await _wait_until(lambda: not state.connections, within=linger)
        for connection in tuple(state.connections):
            connection.shutdown()
        await _wait_until(
            lambda: not (state.connections or state.tasks), within=self.grace - linger
        )

    async def _cancel_remaining(self) -> None:
        state = self.server_state
        if tasks := tuple(state.tasks):
            logger.warning(
                "Cancelling %d requests that took longer than SHUTDOWN_GRACE_SECONDS.",
                len(tasks),
            )
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT.total_seconds())
        await _wait_until(lambda: not state.connections, within=CLOSE_TIMEOUT / 10)
        for connection in tuple(state.connections):
            connection.transport.abort()


def _accept_all(listener: socket) -> Iterator[socket]:
    # Until none waits: an event loop's listeners do not block.
    with suppress(OSError):
        while True:
            yield listener.accept()[0]


def _stop_signals() -> Iterator[signal.Signals]:
    yield from (signal.SIGINT, signal.SIGTERM)
    # The terminal has closed, or a restart is requested, for which a single process has no
    # replacement. `nohup` ignores this signal.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


async def _wait_until(condition: Callable[[], bool], *, within: timedelta) -> None:
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    # uvicorn keeps plain sets, which cannot be awaited.
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _force_exit() -> None:
    logger.error("The process did not stop in time. Exiting anyway.")
    os._exit(1)
