"""People who leave in the middle of a mutation, at any moment of it."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from soak import rows
from soak.figures import Figures
from soak.kill import SECRET
from soak.process import taken
from soak.storm import settle
from soak.visitors import FINE, PASSWORD, PUBLISH, Outcomes, Visitor, crowd, leave
from soak.wire import Wire, question
from tests.operations import REGISTER
from tests.servers import running_server

AT_A_TIME = 32
STAYING = 32
SETTLES_SECONDS = 30

# Of what the process has open: the connections that the pool keeps are opened when they are first needed.
FILES_MORE = 4


async def leaving(
    url: str,
    folder: Path,
    *,
    number: int,
    connections: Callable[[], int] = int,
    port: int = 0,
) -> Figures:
    """``connections`` counts those of the server to its database, where anyone can."""
    figures, outcomes = Figures(), Outcomes()
    with (
        running_server(url, SECRET, folder, PORT=str(port)) as server,
        crowd(server.url, STAYING) as people,
    ):
        await settle(people)
        typical = await _write(people, outcomes)
        leave(people)
        idle, connected = taken(server.process.pid).files, connections()
        await asyncio.gather(
            *(_leave_often(people[n], number // AT_A_TIME, typical) for n in range(AT_A_TIME))
        )
        await _until_nobody_is_ahead(people[0])
        await _write(people, outcomes)
        leave(people)
        await asyncio.sleep(1)  # for the server to notice
        figures.tell("left in the middle", number // AT_A_TIME * AT_A_TIME)
        figures.none("writes of those who stayed that were refused", outcomes.other_than(FINE))
        figures.at_most(
            "files open more than before", taken(server.process.pid).files - idle, FILES_MORE
        )
        figures.at_most("connections to the database afterwards", connections(), max(connected, 20))
        figures.none("tracebacks", server.logged().count("Traceback"))
    await rows.check(url, people, figures)
    return figures


async def _write(people: list[Visitor], outcomes: Outcomes) -> float:
    """All of them at once, and how long it takes in seconds."""
    began = time.monotonic()
    for outcome in await asyncio.gather(*(person.publish() for person in people)):
        outcomes.counted[outcome] += 1
    return time.monotonic() - began


async def _leave_often(person: Visitor, times: int, typical_seconds: float) -> None:
    for _ in range(times):
        wire = Wire(person.wire.url)
        _, writer = await wire.streams()
        writer.write(random.choice([_registering, _publishing])(person))
        await asyncio.sleep(random.expovariate(1 / typical_seconds))
        wire.leave()


async def _until_nobody_is_ahead(person: Visitor) -> None:
    """What those who left have asked for is done all the same, and first."""
    async with asyncio.timeout(SETTLES_SECONDS):
        while await person.publish() != FINE:
            continue


def _registering(_: Visitor) -> bytes:
    name = f"v{uuid4().hex[:16]}"
    return question(REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)


def _publishing(person: Visitor) -> bytes:
    post = {"title": "Half a thought", "content": "And never the other."}
    return question(PUBLISH, by=person.access_token, input=post)
