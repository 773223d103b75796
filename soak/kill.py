"""The server is killed (SIGKILL) at any moment of its work, and started again, round after round on the same database."""

import asyncio
import random
from pathlib import Path

from soak import rows
from soak.figures import Figures
from soak.visitors import CUT_OFF, FINE, Outcomes, Visitor, crowd, leave
from tests.servers import Server, free_port, running_server

SECRET = "a secret for soaking, and for nothing else but soaking"
VISITORS = 16

# Of real people that is ten seconds, in which a server should be back. Here it is about what the server knows.
GRACE = {"REFRESH_GRACE_SECONDS": "60"}


async def kill(url: str, folder: Path, *, rounds: int, port: int | None = None) -> Figures:
    figures, outcomes = Figures(), Outcomes()
    port = port or free_port()
    everyone: list[Visitor] = []
    logged_out: list[str] = []
    for _ in range(rounds):
        with running_server(url, SECRET, folder, port=port, **GRACE) as server:
            logged_out += await _go_on(everyone[-VISITORS:])
            newcomers = crowd(server.url, VISITORS)
            everyone += newcomers
            await _visit_until_it_is_killed(server, newcomers, outcomes)
    with running_server(url, SECRET, folder, port=port, **GRACE) as server:
        logged_out += await _go_on(everyone[-VISITORS:])
        log = server.logged()
    figures.tell("rounds", rounds)
    figures.tell("acknowledged", outcomes.counted[FINE])
    figures.at_least("cut off in the middle of something", outcomes.counted[CUT_OFF], rounds)
    figures.none("other answers", outcomes.other_than(FINE, CUT_OFF))
    figures.none("read, and never written", outcomes.misread)
    figures.none("logged out by it", logged_out)
    figures.none("tracebacks", log.count("Traceback"))
    await rows.check(url, everyone, figures)
    return figures


async def _visit_until_it_is_killed(
    server: Server, visitors: list[Visitor], outcomes: Outcomes
) -> None:
    ended = asyncio.Event()
    visits = [asyncio.create_task(visitor.visit(outcomes, ended)) for visitor in visitors]
    await asyncio.sleep(random.uniform(0.1, 1))
    server.process.kill()
    ended.set()
    await asyncio.gather(*visits)
    leave(visitors)
    server.process.wait()


async def _go_on(visitors: list[Visitor]) -> list[str]:
    """Whose last refresh token does not get the next one."""
    with_accounts = [visitor for visitor in visitors if visitor.id]
    outcomes = await asyncio.gather(*(visitor.refresh() for visitor in with_accounts))
    leave(visitors)
    return [outcome for outcome in outcomes if outcome != FINE]
