"""The load generator wrk, on a core of its own."""

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import BASE_URL, LOAD_CORE

SECONDS = int(os.environ.get("SECONDS", "4"))
SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Request:
    """``body`` is empty for a GET."""

    body: str
    token: str = "-"

    def __str__(self) -> str:
        return f"{self.token}\t{self.body}"


@dataclass(frozen=True)
class Load:
    """What wrk measured.

    ``rate`` is in requests a second, ``busy`` the share of its core that wrk used (0 to 1).
    """

    rate: float
    p50_ms: float
    p99_ms: float
    busy: float


def load(
    path: str,
    requests: Iterable[Request],
    *,
    connections: int,
    seconds: int = SECONDS,
    cores: str = LOAD_CORE,
    chain: bool = False,
) -> Load:
    """Send the requests in rotation over the connections, for ``seconds``.

    With ``chain``, each request carries the refresh token of its last response. Raises
    AssertionError if a request fails.
    """
    command = [
        *("taskset", "-c", cores, "wrk", "--threads", "1", "--timeout", "20s"),
        *("--connections", str(connections), "--duration", f"{seconds}s"),
        *("--script", str(SCRIPT), BASE_URL + path),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{request}\n" for request in requests)
        file.flush()
        environment = {"PATH": os.environ["PATH"], "REQUESTS": file.name}
        before = _seconds_of_children()
        output = subprocess.run(
            command,
            env=environment | ({"CHAIN": "yes"} if chain else {}),
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        busy = (_seconds_of_children() - before) / seconds
    figures = json.loads(output.splitlines()[-1])
    assert figures["failed"] == 0, output
    assert figures["requests"] > 0, output
    rate = figures["requests"] / figures["microseconds"] * 1_000_000
    return Load(rate, figures["p50"] / 1000, figures["p99"] / 1000, busy)


def _seconds_of_children() -> float:
    """Return the processor time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
