"""The load generator wrk."""

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.placements import LOAD_CORE
from benchmarks.servers import BASE_URL

SECONDS = int(os.environ.get("SECONDS", "2"))
SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Request:
    """``body`` is JSON or a form, and empty for a GET."""

    body: str
    token: str = "-"

    def __str__(self) -> str:
        return f"{self.token}\t{self.body}"


@dataclass(frozen=True)
class Load:
    """What wrk measured.

    ``rate`` is in requests a second, ``busy`` the share of a core that wrk used (0 to 1).
    """

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    busy: float


def load(
    path: str,
    requests: Iterable[Request],
    *,
    expected: str,
    connections: int,
    seconds: int = SECONDS,
    cores: str = LOAD_CORE,
    chain: bool = False,
) -> Load:
    """Send the requests in rotation over the connections, for ``seconds``.

    With ``chain``, each request carries the refresh token of its last response. Raises
    AssertionError if a request fails or a response does not contain ``expected``.
    """
    threads = str(connections if chain else 1)
    command = [
        *("taskset", "-c", cores, "wrk", "--threads", threads, "--timeout", "20s"),
        *("--connections", str(connections), "--duration", f"{seconds}s"),
        *("--script", str(SCRIPT), BASE_URL + path),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{request}\n" for request in requests)
        file.flush()
        environment = {
            "PATH": os.environ["PATH"],
            "REQUESTS": file.name,
            "EXPECTED": expected,
            "THREADS": threads,
            **({"CHAIN": "yes"} if chain else {}),
        }
        before = _seconds_of_children()
        wrk = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        busy = (_seconds_of_children() - before) / seconds
    figures = json.loads(wrk.stdout.splitlines()[-1])
    assert figures["failed"] == 0, wrk.stdout + wrk.stderr
    assert figures["requests"] > 0, wrk.stdout
    rate = figures["requests"] / figures["microseconds"] * 1_000_000
    return Load(figures["requests"], rate, figures["p50"] / 1000, figures["p99"] / 1000, busy)


def _seconds_of_children() -> float:
    """Return the processor time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
