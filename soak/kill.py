"""The server is killed (SIGKILL) at any moment of its work, and started again, round after round on the same database."""

import asyncio
import os
import random
import signal
from pathlib import Path

from soak import invariants
from soak.audited_clients import CUT_OFF, FINE, Outcomes, Visitor, crowd, leave
from soak.figures import Figures
from soak.resource_usage import children
from tests.servers import Server, free_port, running_server, wait_until

SECRET = "a secret for soaking, and for nothing else but soaking"
VISITORS = 16
WORKERS = 2

# REQUEST_DEADLINE_SECONDS and a second, for a machine that does all of this at once.
SLOWEST_SECONDS = 11.0

# Of real people that is ten seconds, in which a server should be back. Here it is about what the server knows.
GRACE = {"REFRESH_GRACE_SECONDS": "60"}


async def kill(url: str, folder: Path, *, rounds: int, port: int = 0) -> Figures:
    figures, outcomes = Figures(), Outcomes()
    port = port or free_port()
    everyone: list[Visitor] = []
    logged_out: list[str] = []
    for _ in range(rounds):
        with (
            running_server(url, SECRET, folder, PORT=str(port), **GRACE) as server,
            crowd(server.url, VISITORS) as newcomers,
        ):
            logged_out += await _go_on(everyone[-VISITORS:])
            everyone += newcomers
            await _visit_until_it_is_killed(server, newcomers, outcomes)
    with running_server(url, SECRET, folder, PORT=str(port), **GRACE) as server:
        logged_out += await _go_on(everyone[-VISITORS:])
        log = server.logged()
    figures.tell("rounds", rounds)
    figures.tell("acknowledged", outcomes.counted[FINE])
    figures.at_least("cut off in the middle of something", outcomes.counted[CUT_OFF], rounds)
    figures.none("other answers", outcomes.other_than(FINE, CUT_OFF))
    figures.none("read, and never written", outcomes.misread)
    figures.none("logged out by it", logged_out)
    figures.none("tracebacks", log.count("Traceback"))
    await invariants.check(url, everyone, figures)
    return figures


async def kill_workers(url: str, folder: Path, *, rounds: int, port: int = 0) -> Figures:
    """One of two, again and again, while people go on with the other."""
    figures, outcomes, ended = Figures(), Outcomes(), asyncio.Event()
    settings = {"PORT": str(port), "WORKERS": str(WORKERS), **GRACE}
    with (
        running_server(url, SECRET, folder, **settings) as server,
        crowd(server.url, VISITORS) as everyone,
    ):
        visits = [asyncio.create_task(visitor.visit(outcomes, ended)) for visitor in everyone]
        for started in range(WORKERS, WORKERS + rounds):
            await _until_all_serve(server, started)
            await asyncio.sleep(random.uniform(0.1, 1))
            os.kill(random.choice(children(server.process.pid)), signal.SIGKILL)
        await _until_all_serve(server, WORKERS + rounds)
        ended.set()
        await asyncio.gather(*visits)
        logged_out = await _go_on(everyone)
        log = server.logged()
    figures.tell("workers killed", rounds)
    figures.tell("acknowledged", outcomes.counted[FINE])
    figures.tell("cut off in the middle of something", outcomes.counted[CUT_OFF])
    figures.none("other answers", outcomes.other_than(FINE, CUT_OFF))
    figures.at_most("s, the slowest answer", outcomes.slowest, SLOWEST_SECONDS)
    figures.none("read, and never written", outcomes.misread)
    figures.none("logged out by it", logged_out)
    figures.none("tracebacks", log.count("Traceback"))
    await invariants.check(url, everyone, figures)
    return figures


async def _until_all_serve(server: Server, started: int) -> None:
    """``started`` is how many there have been by then."""

    def serve() -> bool:
        return server.logged().count("Application startup complete") >= started

    await asyncio.to_thread(wait_until, serve)


async def _visit_until_it_is_killed(
    server: Server, visitors: list[Visitor], outcomes: Outcomes
) -> None:
    ended = asyncio.Event()
    visits = [asyncio.create_task(visitor.visit(outcomes, ended)) for visitor in visitors]
    await asyncio.sleep(random.uniform(0.1, 1))
    server.process.kill()
    ended.set()
    await asyncio.gather(*visits)
    server.process.wait()


async def _go_on(visitors: list[Visitor]) -> list[str]:
    """Whose last refresh token does not get the next one."""
    with_accounts = [visitor for visitor in visitors if visitor.id]
    outcomes = await asyncio.gather(*(visitor.refresh() for visitor in with_accounts))
    leave(visitors)
    return [outcome for outcome in outcomes if outcome != FINE]
