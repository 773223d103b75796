"""A client without a token that sends as much as it can of one kind, beside a user who reads `me`.

`python -m soak.hostile --kind pages --connections 8 --seconds 5` tries one kind: see --help.

The server, the user and the attacker share one machine, where other machines would send the
requests. So the attacker has a lower priority, and two figures say what the machine itself costs:
the user without an attack, alone and beside a process of that priority that only computes.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from domain.posts import MAX_CONTENT_LENGTH
from settings import Settings
from soak.attacker import ATTACKS, DIRECT_ATTACKS, NICENESS, unverified
from soak.figures import Figures
from soak.raw_client import p99, raw_clients
from soak.resource_usage import cpu_seconds, peak_memory_mib, reset_peak_memory, resource_usage
from soak.server_settings import SECRET_KEY
from soak.victim import Victim
from tests.databases import migrate
from tests.proxies import running as running_proxy
from tests.servers import RATE_LIMITS, Server, running_server

# The promise.
MAX_P99_MS = 50.0
MAX_MEMORY_MIB = 400.0
MAX_MEMORY_GROWTH_MIB = 32.0
BACK_AFTER_SECONDS = 60
REQUIRED = f"p99 {MAX_P99_MS:.0f} ms, {MAX_MEMORY_MIB:.0f} MiB, no failure"

CONNECTIONS = (1, 8)
SECONDS = 6.0
# So many that a response of 200 ms delays no other one.
VICTIM_CONNECTIONS = 10

QUIET = "no attack"
# What the machine costs: the same beside a process of the attacker's priority that only computes.
COMPUTING = "no attack, beside a process that computes"

# What delays reads now and then shows only in the slowest of some measurements.
MEASUREMENTS_WITHOUT_ATTACK = 6

# The kinds whose work is mostly the database's.
DATABASE_KINDS = (
    "pages",
    "contents",
    "contents-unread",
    "unknown-users",
    "logins",
    "refresh-tokens",
)

# Each attack has an address of its own, as the limits of a network outlast an attack.
VICTIM = "127.0.0.2"
ATTACKERS = (f"127.1.{n // 250}.{n % 250 + 1}" for n in range(60_000))

# A page of 100 posts, of which the newest 20, the default page, are as long as they may be.
SHORT_POSTS = 80
LONG_POSTS = 20
SHORT = "It weaves algebraic patterns."
LONG = "\N{ABACUS}" * MAX_CONTENT_LENGTH

# The defaults, but for the limits on writing, past which the posts are made.
PRODUCTION = {
    "ENVIRONMENT": "production",
    "INTROSPECTION": "true",
    "SHUTDOWN_GRACE_SECONDS": "5",
    **{
        name: str(Settings.model_fields[name.lower()].default)
        for name in ("ARGON2_MEMORY_KIB", "ARGON2_TIME_COST", *RATE_LIMITS)
        if "WRITE" not in name and "POSTS" not in name
    },
}


@dataclass(frozen=True)
class Measurement:
    """What a user and the process saw of an attack."""

    times: Sequence[float]
    failures: Sequence[str]
    peak_mib: float
    cpu: float
    recovery_seconds: float
    tally: dict[str, Any]

    @property
    def p99_ms(self) -> float:
        return p99([*self.times]) * 1000

    @property
    def passed(self) -> bool:
        within = self.p99_ms <= MAX_P99_MS and self.peak_mib <= MAX_MEMORY_MIB
        return within and not self.failures

    def __str__(self) -> str:
        p50, p_99, slowest = (
            f"{seconds * 1000:.3g}"
            for seconds in (median(self.times), p99([*self.times]), max(self.times))
        )
        text = (
            f"p50 {p50}, p99 {p_99}, max {slowest} ms; {self.peak_mib:.0f} MiB; CPU {self.cpu:.0%}"
        )
        if self.failures:
            text += f"; {len(self.failures)} failed: {self.failures[0]}"
        if self.recovery_seconds > 1:
            text += f"; recovered in {self.recovery_seconds:.1f} s"
        if self.tally:
            kinds = ", ".join(f"{n} {kind}" for kind, n in self.tally["responses"].items())
            text += (
                f"; sent {self.tally['sent_bytes'] / 1e6:.1f} MB over"
                f" {self.tally['connections']} connections; {kinds or 'no response'}"
            )
        return text


@dataclass(frozen=True)
class Scene:
    """A server, the URL that clients use, and a user."""

    server: Server
    url: str
    victim: Victim

    @property
    def memory_mib(self) -> float:
        return resource_usage(self.server.process.pid).memory_mib

    async def measure(self, kind: str, connections: int, seconds: float) -> Measurement:
        pid = self.server.process.pid
        reset_peak_memory(pid)
        before, began = cpu_seconds(pid), time.monotonic()
        async with attack(kind, self.url, connections, seconds) as tally:
            times, failures = await self.victim.read_me(seconds)
            duration = time.monotonic() - began
            cpu = (cpu_seconds(pid) - before) / duration
        peak = peak_memory_mib(pid)
        recovery_seconds = await self.victim.recover(MAX_P99_MS)
        return Measurement(times, failures, peak, cpu, recovery_seconds, tally)


async def hostile(
    database_url: str,
    folder: Path,
    *,
    through_nginx: bool = False,
    kinds: Sequence[str] = (),
    connections: Sequence[int] = CONNECTIONS,
    seconds: float = SECONDS,
    back_after: float = BACK_AFTER_SECONDS,
    port: int = 0,
) -> Figures:
    """Measure `me` beside each kind of attack, the worst first, and the memory a minute after the
    last one.

    All kinds that the transport understands, unless ``kinds`` are given.
    """
    figures = Figures()
    with scene(database_url, folder, through_nginx=through_nginx, port=port) as here:
        await here.victim.register()
        await here.victim.publish(SHORT_POSTS, SHORT)
        await here.victim.publish(LONG_POSTS, LONG)
        await here.victim.read_me(1)  # warm up
        for kind in (QUIET, COMPUTING):
            without = [
                await here.measure(kind, 0, seconds) for _ in range(MEASUREMENTS_WITHOUT_ATTACK)
            ]
            slowest = max(without, key=lambda each: each.p99_ms)
            figures.record(f"{kind}, the slowest of {len(without)}", slowest)
            print(f"  {kind}:", *without, sep="\n    ", flush=True)
        # By now the memory of the hash that the victim's registration took is returned.
        before = here.memory_mib
        attacks: dict[str, Measurement] = {}
        for kind in kinds or (ATTACKS if through_nginx else DIRECT_ATTACKS):
            for number in connections:
                name = f"{kind}, {number} connection{'s'[: number - 1]}"
                attacks[name] = await here.measure(kind, number, seconds)
                print(f"  {name}: {attacks[name]}", flush=True)
        for name, measured in sorted(attacks.items(), key=lambda each: -each[1].p99_ms):
            figures.require(name, measured, REQUIRED, measured.passed)
        await asyncio.sleep(back_after)
        figures.record("memory before the attacks (MiB)", before)
        figures.at_most(
            "memory a minute after the attacks, more than before (MiB)",
            here.memory_mib - before,
            MAX_MEMORY_GROWTH_MIB,
        )
        figures.none("tracebacks in the log", here.server.logged().count("Traceback"))
    return figures


@contextmanager
def scene(database_url: str, folder: Path, *, through_nginx: bool, port: int) -> Iterator[Scene]:
    settings = {**PRODUCTION, "PORT": str(port), "TRUSTED_PROXIES": "127.0.0.1"}
    with ExitStack() as stack:
        server = stack.enter_context(running_server(database_url, SECRET_KEY, folder, **settings))
        url, tls = server.url, None
        if through_nginx:
            proxy = stack.enter_context(running_proxy("nginx", folder, server))
            url, tls = f"https://127.0.0.1:{proxy.port}", unverified()
        clients = stack.enter_context(raw_clients(url, VICTIM_CONNECTIONS, source=VICTIM, tls=tls))
        yield Scene(server, url, Victim(clients))


@asynccontextmanager
async def attack(
    kind: str, url: str, connections: int, seconds: float
) -> AsyncIterator[dict[str, Any]]:
    """Attack during the block, and fill in what was sent and answered at its end."""
    tally: dict[str, Any] = {}
    if kind == QUIET:
        yield tally
        return
    if kind == COMPUTING:
        async with computing():
            yield tally
        return
    arguments = (kind, url, next(ATTACKERS), str(connections), str(seconds))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "soak.attacker", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    await process.stdout.readline()
    yield tally
    tally.update(json.loads(await process.stdout.readline()))
    assert await process.wait() == 0


@asynccontextmanager
async def computing() -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "nice", f"-n{NICENESS}", sys.executable, "-c", "while True: pass"
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m soak.hostile", description=__doc__)
    parser.add_argument("--kind", action="append", choices=ATTACKS, help="all, by default")
    parser.add_argument("--connections", type=int, action="append", help="1 and 8, by default")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each")
    parser.add_argument("--nginx", action="store_true", help="through the nginx of deploy/")
    parser.add_argument("--database", help="a URL; a new SQLite file, by default")
    parser.add_argument("--wait", type=float, default=1.0, help="seconds before memory is compared")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-hostile-") as name:
        url = chosen.database or f"sqlite:///{name}/gatehouse.db"
        migrate(url)
        figures = asyncio.run(
            hostile(
                url,
                Path(name),
                through_nginx=chosen.nginx,
                kinds=chosen.kind or (),
                connections=chosen.connections or CONNECTIONS,
                seconds=chosen.seconds,
                back_after=chosen.wait,
            )
        )
    print(*(f"{row.name}: {row.measured}" for row in figures.rows[-3:]), sep="\n")


if __name__ == "__main__":
    main()
