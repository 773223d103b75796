"""`gatehouse serve` as a process, started by its command."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow

GATEHOUSE = str(Path(sys.executable).with_name("gatehouse"))
SERVE = (GATEHOUSE, "serve")

# Linux takes those from 32768 for outgoing connections, and other systems from 49152.
OUTSIDE_OF_EPHEMERAL_PORTS = range(20_000, 32_768)

# How long a test waits for another process, even on a busy machine.
TIMEOUT_SECONDS = 60

# Rate limits and quotas that are never reached.
RATE_LIMITS = {
    "NEW_DOCUMENT_PERCENT": "100",
    "LOGIN_LIMIT_PER_ACCOUNT": "100000/second",
    "CODE_LIMIT_PER_ACCOUNT": "100000/second",
    "TICKET_LIMIT_PER_NETWORK": "100000/second",
    "LOGIN_LIMIT_PER_NETWORK": "100000/second",
    "REGISTER_LIMIT_PER_NETWORK": "100000/second",
    "MAIL_LIMIT_PER_ADDRESS": "100000/second",
    "MAIL_LIMIT_PER_NETWORK": "100000/second",
    "REFRESH_LIMIT_PER_NETWORK": "100000/second",
    "WRITE_LIMIT_PER_USER": "100000/second",
    "WRITE_KIB_LIMIT_PER_USER": "100000000/second",
    "PICTURE_LIMIT_PER_USER": "100000/second",
    "POSTS_PER_USER": "1000000",
}

# For tests that are not about hashing or rate limits.
CHEAP_SETTINGS = {"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1", **RATE_LIMITS}


@dataclass(frozen=True)
class Server:
    """A running server, and the file that its output goes to."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def logged(self) -> str:
        return self.log.read_text()


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with these settings and no others."""
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def running_server(
    database_url: str,
    secret_key: str,
    folder: Path,
    command: Sequence[str] = SERVE,
    **settings: str,
) -> Iterator[Server]:
    """Run a server in a folder, on a free port unless PORT is given, and stop it with SIGTERM."""
    port = int(settings.pop("PORT", "0")) or free_port()
    log_file = folder / f"server-{port}.log"
    with log_file.open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,  # where there is no .env
            env=environment(
                **CHEAP_SETTINGS
                | {"DATABASE_URL": database_url, "SECRET_KEY": secret_key, "PORT": str(port)}
                | settings
            ),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_listens(port, process, log_file)
        yield Server(f"http://127.0.0.1:{port}", log_file, process)
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def workers_of(server: Server) -> set[int]:
    return children_of(server.process.pid)


def children_of(process: int) -> set[int]:
    table = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True)
    rows = (map(int, row.split()) for row in table.stdout.splitlines())
    return {pid for parent, pid in rows if parent == process}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on.

    The system gives it to no outgoing connection: one would take the port before the server does,
    or, when a test polls the port, connect to itself.
    """
    while True:
        port = OUTSIDE_OF_EPHEMERAL_PORTS.start + randbelow(len(OUTSIDE_OF_EPHEMERAL_PORTS))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until_it_listens(
    port: int, process: subprocess.Popen[bytes], log: Path | None = None
) -> None:
    """Wait until a new process accepts connections. Fails with its log if it never does."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"it does not listen:\n{log.read_text() if log else ''}")


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until a condition holds that another process brings about without notice."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
