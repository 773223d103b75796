"""People who leave in the middle of a mutation, at any moment of it."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from soak import rows
from soak.figures import Figures
from soak.kill import SECRET
from soak.process import taken
from soak.storm import settle
from soak.visitors import FINE, PASSWORD, PUBLISH, Outcomes, Visitor, leave
from soak.wire import Wire, question
from tests.people import REGISTER
from tests.servers import running_server

AT_A_TIME = 32
STAYING = 30

# In the order of what a mutation takes beside so many others.
TYPICAL_SECONDS = 0.05

# Of what the process has open: the connections that the pool keeps are opened when they are first needed.
FILES_MORE = 4


async def leaving(
    url: str,
    folder: Path,
    *,
    number: int,
    connections: Callable[[], int] = int,
    port: int | None = None,
) -> Figures:
    """``connections`` counts those of the server to its database, where anyone can."""
    figures, outcomes = Figures(), Outcomes()
    with running_server(url, SECRET, folder, port=port) as server:
        people = await settle(server.url, STAYING)
        await _write(people, outcomes)
        leave(people)
        idle, connected = taken(server.process.pid).files, connections()
        await asyncio.gather(
            *(_leave_often(people[n % STAYING], number // AT_A_TIME) for n in range(AT_A_TIME))
        )
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


async def _write(people: list[Visitor], outcomes: Outcomes) -> None:
    """All of them at once: with a single connection lost to them, it would show."""
    for outcome in await asyncio.gather(*(person.publish() for person in people)):
        outcomes.counted[outcome] += 1


async def _leave_often(person: Visitor, times: int) -> None:
    for _ in range(times):
        wire = Wire(person.wire.url)
        _, writer = await wire.streams()
        writer.write(random.choice([_registering, _publishing])(person))
        await asyncio.sleep(random.expovariate(1 / TYPICAL_SECONDS))
        wire.leave()


def _registering(_: Visitor) -> bytes:
    name = f"v{uuid4().hex[:16]}"
    return question(REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)


def _publishing(person: Visitor) -> bytes:
    post = {"title": "Half a thought", "content": "And never the other."}
    return question(PUBLISH, by=person.access_token, input=post)
