"""A Redis server that tests can stop, freeze and start again."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.servers import TIMEOUT_SECONDS, free_port, wait_until_it_listens

REDIS_PROGRAM = shutil.which("redis-server")


class RedisServer:
    """A `redis-server` process of its own, on a free port. It is started at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        assert REDIS_PROGRAM
        command = [REDIS_PROGRAM, "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until_it_listens(self._port, self._process)

    def stop(self) -> None:
        """Stop the process, even if it is frozen."""
        os.kill(self._process.pid, signal.SIGCONT)
        self._process.terminate()
        self._process.wait(TIMEOUT_SECONDS)

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)
