"""A Redis server that tests can stop, freeze and start again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.servers import TIMEOUT_SECONDS, free_port, wait_until_it_listens

# A `valkey-server` can be named instead.
REDIS_PROGRAM = shutil.which(os.environ.get("TEST_REDIS_SERVER", "redis-server"))
REDIS_CLI = shutil.which("redis-cli")


class RedisServer:
    """A `redis-server` process of its own, on a free port. It is started at once.

    With ``tls``, a folder of `tests.certificates`, it accepts connections with TLS alone, and with
    a certificate of the client unless the options say otherwise.
    """

    def __init__(self, folder: Path, *options: str, tls: Path | None = None) -> None:
        self._folder = folder
        self._options = options
        self._tls = tls
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"redis://{self.address}/0"
        self.start()

    def start(self, *options: str) -> None:
        assert REDIS_PROGRAM
        self._process = subprocess.Popen(
            [REDIS_PROGRAM, *self._options, *self._listening(), "--save", "", *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_it_listens(self.port, self._process)

    def _listening(self) -> list[str]:
        address = ["--bind", "127.0.0.1", "--tls-port" if self._tls else "--port", str(self.port)]
        if self._tls is None:
            return address
        certificate, key = str(self._tls / "certificate.pem"), str(self._tls / "key.pem")
        files = ["--tls-cert-file", certificate, "--tls-key-file", key]
        return [*address, "--port", "0", *files, "--tls-ca-cert-file", certificate]

    def stop(self) -> None:
        """Stop the process, even if it is frozen."""
        os.kill(self._process.pid, signal.SIGCONT)
        self._process.terminate()
        self._process.wait(TIMEOUT_SECONDS)

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def client(self) -> "redis.Redis":
        """Return a client without a password, as a context manager."""
        if self._tls is None:
            return redis.Redis("127.0.0.1", self.port)
        certificate, key = self._tls / "certificate.pem", self._tls / "key.pem"
        return redis.Redis(
            "127.0.0.1",
            self.port,
            ssl=True,
            ssl_ca_certs=str(certificate),
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
        )


@contextmanager
def running_redis(folder: Path, *options: str, tls: Path | None = None) -> Iterator[RedisServer]:
    server = RedisServer(folder, *options, tls=tls)
    try:
        yield server
    finally:
        server.stop()
