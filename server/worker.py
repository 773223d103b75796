"""A worker of `gatehouse serve`, which its parent starts as `python -m server.worker LISTENER LIFELINE`: two open file
descriptors. What it does at which signal is said in `server/serve.py`, what the lifeline is in `server/supervisor.py`."""

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
from server.serve import configure, run
from server.shutdown import Server
from server.supervisor import BEAT
from settings import load_settings


def main() -> None:
    listener, lifeline = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    settings = load_settings()
    logs.configure(settings)
    run(WorkingServer(configure(settings), settings.shutdown_grace, lifeline), settings, listener)


class WorkingServer(Server):
    """Serves for as long as the parent holds the other end of the lifeline, and shows that it does."""

    def __init__(self, config: uvicorn.Config, grace: timedelta, lifeline: socket.socket) -> None:
        config.callback_notify = self._beat
        config.timeout_notify = int(BEAT.total_seconds()) - 1
        super().__init__(config, grace)
        lifeline.setblocking(False)
        self._lifeline = lifeline

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # From a terminal these are sent to everyone, and meant for the parent.
        for meant_for_the_parent in (signal.SIGINT, signal.SIGHUP):
            signal.signal(meant_for_the_parent, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # More than one makes no difference: systemd, for one, sends SIGTERM to everyone, and so does the parent.
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._lifeline, self._on_lifeline)

    def _on_lifeline(self) -> None:
        """The parent never writes: there is something to read when it has let go."""
        asyncio.get_running_loop().remove_reader(self._lifeline)
        self.should_exit = True

    async def _beat(self) -> None:
        with suppress(OSError):
            self._lifeline.send(b".")


if __name__ == "__main__":
    main()
