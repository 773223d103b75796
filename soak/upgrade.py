"""A new release on two servers behind nginx, and a way back, while clients write.

It does what deploy/upgrades.md says: migrate, then replace one server after the other. The release
before is today's code, and the new one is the same code with one migration more. The first server
is reloaded by SIGHUP, with the new release installed in its place. The second is stopped, and the
new release started.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from db.migrations import HEAD
from soak import invariants
from soak.attacker import unverified
from soak.audited_clients import (
    DISCONNECTED,
    OK,
    Outcomes,
    lost_sessions,
    running_clients,
)
from soak.figures import Figures
from soak.raw_client import Disconnected, RawClient, http_request
from soak.server_settings import SLOWEST_RESPONSE_SECONDS
from tests.proxies import NAME
from tests.proxies import running as running_proxy
from tests.releases import FAILS, Release, next_release, this_release
from tests.servers import Server

# By SIGHUP, a server of several processes is reloaded without a gap.
WORKERS = 2

# Each state of the servers is used for this long.
SECONDS = 5

# Workers start one after the other, beside clients that use all of the machine.
RELOAD_SECONDS = 300

# As often as a balancer asks at most.
PROBE_SECONDS = 0.2


async def upgrade(url: str, folder: Path, *, port: int) -> Figures:
    """Upgrade both servers, and return one to the release before."""
    figures, outcomes, probes = Figures(), Outcomes(), Outcomes()
    before, installed = this_release(folder / "before"), this_release(folder / "installed")
    after = next_release(folder / "after", oldest_compatible=HEAD)
    failing = next_release(folder / "failing", oldest_compatible=HEAD, steps=FAILS)
    async with AsyncExitStack() as stack:
        stack.enter_context(figures.on_this_machine())
        first, second = Machine(url, folder, port, workers=WORKERS), Machine(url, folder, port + 1)
        await first.start(installed)
        stack.push_async_callback(first.stop)
        await second.start(before)
        stack.push_async_callback(second.stop)
        proxy = stack.enter_context(
            running_proxy("nginx", folder, first.server, second.server, port=port + 2)
        )
        await stack.enter_async_context(_probing(first.server.url, probes))
        async with running_clients(proxy.url, outcomes, tls=unverified()) as clients:
            step = Steps(figures, outcomes)
            await step.take("the release before", asyncio.sleep(SECONDS))
            await step.take("a migration that fails", _migrate(failing, url, succeeds=False))
            await step.take("gatehouse migrate", _migrate(after, url))
            await step.take("the release before, new schema", asyncio.sleep(SECONDS))
            installed.become_next(oldest_compatible=HEAD)
            await step.take("SIGHUP of the first server", first.reload())
            await step.take("replacement of the second server", second.replace(after))
            await step.take("the new release", asyncio.sleep(SECONDS))
            await step.take("its return to the release before", second.replace(before))
            await step.take("both releases", asyncio.sleep(SECONDS))
        lost = await lost_sessions(clients)
        log = first.server.logged() + second.server.logged()
    figures.record("successful requests", outcomes.counts[OK])
    figures.none("refused requests", outcomes.other_than(OK))
    figures.at_most("slowest response (s)", outcomes.slowest_seconds, SLOWEST_RESPONSE_SECONDS)
    figures.record("times that the first server was ready", probes.counts[OK])
    figures.none("times that it was not", probes.other_than(OK))
    figures.none("reads of values never written", outcomes.unexpected_reads)
    figures.none("lost sessions", lost)
    figures.none("tracebacks in the log", log.count("Traceback"))
    await invariants.check(url, clients, figures)
    return figures


class Machine:
    """A server whose release is replaced, at one address."""

    server: Server
    _serving: AbstractContextManager[Server]

    def __init__(self, url: str, folder: Path, port: int, *, workers: int = 1) -> None:
        self._url, self._folder = url, folder
        self._settings = {
            "PORT": str(port),
            "WORKERS": str(workers),
            "TRUSTED_PROXIES": "127.0.0.1",
            # Tokens name it: each server accepts those of the other.
            "PUBLIC_URL": f"https://{NAME}",
        }

    async def start(self, release: Release) -> None:
        """Start a release, and wait until it accepts connections."""
        self._serving = release.serving(self._url, self._folder, **self._settings)
        # In a thread: the clients run in this one.
        self.server = await asyncio.to_thread(self._serving.__enter__)

    async def stop(self) -> None:
        """Stop it gracefully, and wait until it has exited."""
        await asyncio.to_thread(self._serving.__exit__, None, None, None)

    async def replace(self, release: Release) -> None:
        await self.stop()
        await self.start(release)

    async def reload(self) -> None:
        """Replace the workers by the code that is installed now."""
        self.server.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(RELOAD_SECONDS):
            # Another process writes it.
            while "All workers were replaced" not in self.server.logged():  # noqa: ASYNC110
                await asyncio.sleep(0.1)


class Steps:
    """Records the seconds and the requests of each step."""

    def __init__(self, figures: Figures, outcomes: Outcomes) -> None:
        self._figures, self._outcomes = figures, outcomes

    async def take(self, name: str, step: Awaitable[None]) -> None:
        began, counted = time.monotonic(), self._outcomes.counts[OK]
        await step
        seconds, answered = time.monotonic() - began, self._outcomes.counts[OK] - counted
        self._figures.record(f"{name}: seconds, requests", f"{seconds:.1f}, {answered}")


async def _migrate(release: Release, url: str, *, succeeds: bool = True) -> None:
    ended = await asyncio.to_thread(release.run, url, "migrate")
    assert (ended.returncode == 0) is succeeds, ended.stderr


@asynccontextmanager
async def _probing(url: str, outcomes: Outcomes) -> AsyncIterator[None]:
    """Ask a server whether it is ready, over and over, each time by a new connection."""
    ended = asyncio.Event()

    async def probe() -> None:
        while not ended.is_set():
            client, began = RawClient(url), time.monotonic()
            try:
                response = await client.send(http_request("GET", "/health/ready"))
                outcomes.count(OK if response.status == 200 else str(response.status), began)
            except Disconnected:
                outcomes.count(DISCONNECTED, began)
            client.abort()
            await asyncio.sleep(PROBE_SECONDS)

    probing = asyncio.create_task(probe())
    try:
        yield
    finally:
        ended.set()
        await probing
