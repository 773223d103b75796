"""Start and stop a target."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import make_url

from benchmarks.placements import SERVER_CORE
from benchmarks.processor_time import used_seconds
from benchmarks.targets import PEERS, Target
from soak.resource_usage import peak_memory_mib, resource_usage
from tests.servers import RATE_LIMITS, TIMEOUT_SECONDS, wait_until_it_listens

PORT = int(os.environ.get("PORT", "8155"))
BASE_URL = f"http://127.0.0.1:{PORT}"
SECRET_KEY = "a secret key for the benchmarks only"
PUBLIC_URL = "https://accounts.example.com"

# Of the peers in Python, as many connections as Gatehouse has. With SQLAlchemy's defaults, they
# would open and close connections all the time.
POOL_SIZE = 20


@dataclass(frozen=True)
class Server:
    """A running target. Its log goes to a file without a name."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def used_seconds(self) -> float:
        return used_seconds(self.process.pid)

    @property
    def memory_mib(self) -> float:
        return resource_usage(self.process.pid).memory_mib

    @property
    def peak_memory_mib(self) -> float:
        return peak_memory_mib(self.process.pid)

    @property
    def logged_bytes(self) -> int:
        return os.fstat(self.log.fileno()).st_size

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(TIMEOUT_SECONDS)
        self.log.close()


@contextmanager
def serving(
    target: Target, database_url: str, *, cores: str = SERVER_CORE, **settings: str
) -> Iterator[Server]:
    server = start(target, database_url, cores=cores, **settings)
    try:
        wait_until_it_listens(PORT, server.process)
        yield server
    finally:
        server.stop()


def start(
    target: Target, database_url: str, *, cores: str = SERVER_CORE, **settings: str
) -> Server:
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "production",
        "NODE_ENV": "production",
        "SECRET_KEY": SECRET_KEY,
        "PUBLIC_URL": PUBLIC_URL,
        "DATABASE_URL": database_url,
        "PEER_DATABASE_URL": _with_async_driver(database_url),
        "PEER_POOL_SIZE": str(POOL_SIZE),
        "PORT": str(PORT),
        "UVICORN_PORT": str(PORT),
        "HASHING_THREADS": str(len(cores.split(","))),
        **RATE_LIMITS,
        **settings,
    }
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
    process = subprocess.Popen(
        ["taskset", "-c", cores, *target.command],
        cwd=PEERS,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    return Server(process, log)


def _with_async_driver(url: str) -> str:
    """Return the URL with the driver that fastapi-users' documentation names."""
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    parsed = make_url(url)
    return parsed.set(drivername=drivers[parsed.get_backend_name()]).render_as_string(
        hide_password=False
    )
