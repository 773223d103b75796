"""Start and stop a target, and read its memory."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.targets import PEERS, Target
from tests.servers import RATE_LIMITS, TIMEOUT_SECONDS, wait_until_it_listens

PORT = int(os.environ.get("PORT", "8155"))
BASE_URL = f"http://127.0.0.1:{PORT}"
SECRET_KEY = "a secret key for the benchmarks only"
SERVER_CORE, LOAD_CORE, BOTH_CORES = "0", "1", "0,1"


@contextmanager
def serving(
    target: Target, database_url: str, *, cores: str = SERVER_CORE, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    process = start(target, database_url, cores=cores, **settings)
    try:
        wait_until_it_listens(PORT, process)
        yield process
    finally:
        stop(process)


def start(
    target: Target, database_url: str, *, cores: str = SERVER_CORE, **settings: str
) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "PEER_DATABASE_URL": _with_async_driver(database_url),
        "PORT": str(PORT),
        "UVICORN_PORT": str(PORT),
        "NODE_ENV": "production",
        # Without a line for each request, as the peers.
        "LOG_LEVEL": "WARNING",
        "HASHING_THREADS": str(len(cores.split(","))),
        **RATE_LIMITS,
        **settings,
    }
    return subprocess.Popen(
        ["taskset", "-c", cores, *target.command],
        cwd=PEERS,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(TIMEOUT_SECONDS)


def memory_mib(process: subprocess.Popen[bytes], *, peak: bool = False) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
    assert resident is not None
    return int(resident[1]) / 1024


def _with_async_driver(url: str) -> str:
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    parsed = make_url(url)
    return parsed.set(drivername=drivers[parsed.get_backend_name()]).render_as_string(
        hide_password=False
    )
