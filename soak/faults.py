"""PostgreSQL is stopped, started, frozen and thawed under people who go on regardless."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from soak import rows
from soak.figures import Figures
from soak.kill import GRACE, SECRET, SLOWEST_SECONDS
from soak.postgres import Postgres
from soak.visitors import FINE, Outcomes, Visitor, crowd, leave
from soak.wire import CutOff, Wire
from tests.operations import ME
from tests.servers import running_server

VISITORS = 16
CONNECTIONS = 20
RECOVERS_SECONDS = 5.0

# In answers of GraphQL, and in those of all else.
AWAY = ("UNAVAILABLE", "503")


async def stop(postgres: Postgres, url: str, folder: Path, port: int) -> Figures:
    """Stopped hard, away for a while, and started again."""
    return await _suffer(postgres, url, folder, port, postgres.stop, postgres.start, seconds=5)


async def freeze(
    postgres: Postgres, url: str, folder: Path, port: int, *, seconds: float
) -> Figures:
    return await _suffer(
        postgres, url, folder, port, postgres.freeze, postgres.thaw, seconds=seconds
    )


async def _suffer(
    postgres: Postgres,
    url: str,
    folder: Path,
    port: int,
    break_it: Callable[[], None],
    mend_it: Callable[[], None],
    *,
    seconds: float,
) -> Figures:
    figures, outcomes = Figures(), Outcomes()
    with running_server(url, SECRET, folder, PORT=str(port), **GRACE) as server:
        async with visiting(server.url, outcomes) as visitors:
            await asyncio.sleep(3)
            await asyncio.to_thread(break_it)
            await asyncio.sleep(seconds)
            away = sum(outcomes.counted[code] for code in AWAY)
            await asyncio.to_thread(mend_it)
            mended = time.monotonic()
            figures.at_most(
                "s from its return to the first healthy answer",
                await _recovery(server.url, visitors[0]),
                RECOVERS_SECONDS,
            )
            await asyncio.sleep(2 * RECOVERS_SECONDS)
            last_refusal = max(outcomes.last_refusal - mended, 0.0)
        figures.at_most("s to the last refusal of anyone", last_refusal, RECOVERS_SECONDS)
        figures.tell("acknowledged", outcomes.counted[FINE])
        figures.at_least("refusals while it was away", away, 1)
        figures.none("other answers", outcomes.other_than(FINE, *AWAY))
        figures.at_most("s, the slowest answer", outcomes.slowest, SLOWEST_SECONDS)
        figures.at_most("connections afterwards", postgres.connections(url), CONNECTIONS)
        figures.none("read, and never written", outcomes.misread)
        figures.none("tracebacks", server.logged().count("Traceback"))
        figures.none("logged out by it", await _logged_out(visitors))
    await rows.check(url, visitors, figures)
    return figures


@asynccontextmanager
async def visiting(url: str, outcomes: Outcomes) -> AsyncIterator[list[Visitor]]:
    """People who come and go on until the block ends."""
    ended = asyncio.Event()
    with crowd(url, VISITORS) as visitors:
        visits = [asyncio.create_task(visitor.visit(outcomes, ended)) for visitor in visitors]
        try:
            yield visitors
        finally:
            ended.set()
            await asyncio.gather(*visits)


async def _recovery(url: str, visitor: Visitor) -> float:
    """How long it takes until someone is told who they are. Each question on a connection of its own, and many at a time:
    one that hangs must not hide the ones that would not."""
    began = time.monotonic()

    async def ask() -> bool:
        wire = Wire(url)
        try:
            return not (await wire.ask(ME, by=visitor.access_token)).errors
        except CutOff:
            return False
        finally:
            wire.leave()

    asking: set[asyncio.Task[bool]] = set()
    while time.monotonic() - began < 4 * RECOVERS_SECONDS:
        asking.add(asyncio.create_task(ask()))
        done, asking = await asyncio.wait(asking, timeout=0.1)
        if any(task.result() for task in done):
            break
    recovered = time.monotonic() - began
    await asyncio.gather(*asking)
    return recovered


async def _logged_out(visitors: list[Visitor]) -> list[str]:
    outcomes = await asyncio.gather(*(visitor.refresh() for visitor in visitors if visitor.id))
    leave(visitors)
    return [outcome for outcome in outcomes if outcome != FINE]
