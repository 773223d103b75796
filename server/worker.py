"""A worker process of `gatehouse serve`.

Its parent starts it as `python -m server LISTENER... PARENT` (`server/__main__.py`), with the file
descriptors of the listening sockets and of the socket that connects it to its parent
(`server/supervisor.py`).
`server/serve.py` lists the signals.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType

import uvicorn

from api.telemetry import logs
from server.application import configure, run
from server.exit import exit_in_a_line
from server.shutdown import Server
from server.supervisor import HEARTBEAT
from settings import load_settings


def main() -> None:
    """Serve until the parent stops this worker or exits. Raises SystemExit."""
    *listeners, parent = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    with exit_in_a_line():
        settings = load_settings()
        logs.configure(settings)
        run(WorkerServer(configure(settings), settings.shutdown_grace, parent), settings, listeners)


class WorkerServer(Server):
    """Serves until the parent closes its socket, and sends it heartbeats until then."""

    def __init__(self, config: uvicorn.Config, grace: timedelta, parent: socket.socket) -> None:
        config.callback_notify = self._send_heartbeat
        config.timeout_notify = int(HEARTBEAT.total_seconds()) - 1
        super().__init__(config, grace)
        parent.setblocking(False)
        self._parent = parent

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # A terminal sends these to all processes, but only the parent handles them.
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A second signal does not end it at once: systemd sends SIGTERM to all processes of a
        # service, and the parent may send another one.
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._parent, self._on_parent_closed)

    def _on_parent_closed(self) -> None:
        """Drain. The parent never writes, so its socket is readable only once it is closed."""
        asyncio.get_running_loop().remove_reader(self._parent)
        self.should_exit = True

    async def _send_heartbeat(self) -> None:
        with suppress(OSError):
            self._parent.send(b".")
