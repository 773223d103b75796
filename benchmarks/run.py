"""`make bench`: Gatehouse and its peers side by side, and ratios of them in RESULTS.md.

Each contestant runs as one process on one core, the load tool (wrk) on the other, PostgreSQL on both, as each of them
needs it. They take turns, round by round, so that whatever else the machine does falls on all alike. Only ratios are
written: seconds are the machine's.
"""

import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import make_url

from benchmarks import people
from benchmarks.contestants import ME_CONTESTANTS, PEERS, Contestant
from settings import Settings
from tests import databases
from tests.servers import PATIENCE_SECONDS, wait_until_it_listens

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS", "4"))
CONNECTIONS = 64
PEOPLE = 500
PORT = 8055
SECRET = "a secret for benchmarks, and for nothing else but benchmarks"
SERVER_CORE, LOAD_CORE = "0", "1"

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """What one round of one contestant came to."""

    requests_a_second: float
    p99_ms: float
    memory_mib: float


def main() -> None:
    with databases.empty_postgres() as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            secret_key=SECRET,  # type: ignore[arg-type]
            database_url=url,  # type: ignore[arg-type]
            argon2_memory_kib=8,
            argon2_time_cost=1,
            register_limit_per_network="100000/second",
            port=PORT,
        )
        tokens = Path(folder) / "tokens"
        tokens.write_text("\n".join(people.register(settings, PEOPLE)) + "\n")
        rounds = [_round(url, tokens) for _ in range(ROUNDS)]
    results = _table(rounds)
    (HERE / "RESULTS.md").write_text(results)
    print(results)


def _round(url: str, tokens: Path) -> dict[str, Run]:
    return {contestant.name: _measure(contestant, url, tokens) for contestant in ME_CONTESTANTS}


def _measure(contestant: Contestant, url: str, tokens: Path) -> Run:
    with _serving(contestant, url) as process:
        _check(contestant, tokens)
        _load(contestant, tokens, seconds=1)  # to warm up
        rate, p99 = _load(contestant, tokens, seconds=SECONDS)
        memory = _memory_mib(process.pid)
    print(f"{contestant.name}: {rate:.0f} requests a second, p99 {p99:.1f} ms", flush=True)
    return Run(rate, p99, memory)


@contextmanager
def _serving(contestant: Contestant, url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": SECRET,
        "DATABASE_URL": url,
        "PEER_DATABASE_URL": make_url(url)
        .set(drivername="postgresql+psycopg")
        .render_as_string(hide_password=False),
        "PORT": str(PORT),
        "UVICORN_PORT": str(PORT),
        "NODE_ENV": "production",
        **contestant.environment,
    }
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *contestant.command],
        cwd=PEERS,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_it_listens(PORT, process)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _check(contestant: Contestant, tokens: Path) -> None:
    """That it answers who is asking, and no error."""
    token = tokens.read_text().partition("\n")[0]
    response = httpx.request(
        contestant.method,
        f"http://127.0.0.1:{PORT}{contestant.path}",
        content=contestant.body or None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert "person0@example.com" in response.text, response.text


def _load(contestant: Contestant, tokens: Path, *, seconds: int) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their times in milliseconds."""
    command = [
        *("taskset", "-c", LOAD_CORE, "wrk", "--threads", "1", "--latency"),
        *("--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--timeout", "20s"),
        *("--script", str(HERE / "me.lua"), f"http://127.0.0.1:{PORT}{contestant.path}"),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "TOKENS": str(tokens),
        "BODY": contestant.body,
        "METHOD": contestant.method,
    }
    said = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate is not None
    assert p99 is not None
    return float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]]


def _memory_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None
    return int(resident[1]) / 1024


def _table(rounds: list[dict[str, Run]]) -> str:
    ours = [one["Gatehouse"] for one in rounds]
    lines = [
        "# Results",
        "",
        "`make bench` writes this page. `me { id username email }` by 500 people from 64 connections, one process on one core,",
        f"PostgreSQL, {ROUNDS} rounds in turns: the median of the rounds' ratios, and their lowest and highest.",
        "",
        "| `me` of Gatehouse against | requests a second | p99 | memory |",
        "|---|---|---|---|",
    ]
    for contestant in ME_CONTESTANTS[1:]:
        theirs = [one[contestant.name] for one in rounds]
        pairs = list(zip(ours, theirs, strict=True))
        cells = [
            _ratios([a.requests_a_second / b.requests_a_second for a, b in pairs]),
            _ratios([a.p99_ms / b.p99_ms for a, b in pairs]),
            _ratios([a.memory_mib / b.memory_mib for a, b in pairs]),
        ]
        lines.append(f"| {contestant.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _ratios(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
