"""Hundreds of connections that send half of a request, or none of it, beside people who send whole ones."""

import asyncio
import time
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

from soak.figures import Figures
from soak.kill import SECRET
from soak.process import taken
from soak.storm import log_in, p99, settle
from soak.visitors import FINE, crowd
from soak.wire import Wire, question, times
from tests.operations import ME
from tests.servers import running_server

ASKING = 4
A_SECOND = 50
LOGINS = 5
TIMES_SLOWER = 10.0

# All of them, from when each was opened.
CLOSED_WITHIN_SECONDS = 30.0

WHOLE = question(ME)
HEAD = WHOLE.index(b"\r\n\r\n") + 4

# What is sent at once, and what is sent a byte a second from then on.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "half a head": (WHOLE[: HEAD // 2], b""),
    "half a body": (WHOLE[:-8], b""),
    "a head without haste": (WHOLE[: HEAD - 2] + b"X-Slow: ", b"a" * 1000),
    "a body without haste": (
        WHOLE[:HEAD].replace(b"Content-Length: ", b"Content-Length: 9"),
        b" " * 1000,
    ),
}


async def half_open(
    url: str, folder: Path, *, number: int, seconds: float, port: int = 0
) -> Figures:
    """``seconds`` is how long the others are watched, before and beside."""
    figures = Figures()
    with (
        running_server(url, SECRET, folder, PORT=str(port)) as server,
        crowd(server.url, LOGINS) as people,
        crowd(server.url, ASKING) as asking,
        crowd(server.url, number) as slow,
    ):
        await settle(people)

        async def ask() -> float:
            token = people[0].access_token
            return p99(
                await times(
                    [one.wire for one in asking], ME, by=token, rate=A_SECOND, seconds=seconds
                )
            )

        idle = await ask()
        files = taken(server.process.pid).files
        kinds = [*islice(cycle(KINDS), number)]
        await asyncio.gather(*(one.wire.streams() for one in slow))
        holding = [
            asyncio.create_task(_hold(one.wire, *KINDS[kind]))
            for one, kind in zip(slow, kinds, strict=True)
        ]
        beside = await ask()
        logins = await asyncio.gather(*(log_in(one.wire, one.username) for one in people))
        held = taken(server.process.pid).files - files
        lasted = await asyncio.gather(*holding)
        figures.at_least("half-open requests while others were served", held, 0.9 * number)
        figures.tell("ms, p99 of `me` without them", idle * 1000)
        figures.tell("ms, p99 of `me` beside them", beside * 1000)
        figures.at_most("the one against the other", beside / idle, TIMES_SLOWER)
        figures.none("logins beside them that were refused", [one for one in logins if one != FINE])
        for kind in KINDS:
            longest = max(time for time, own in zip(lasted, kinds, strict=True) if own == kind)
            figures.at_most(f"s until the server closed {kind}", longest, CLOSED_WITHIN_SECONDS)
        figures.none("tracebacks", server.logged().count("Traceback"))
    return figures


async def _hold(wire: Wire, at_once: bytes, slowly: bytes) -> float:
    """How long it is until the server closes; given up at twice what is promised."""
    reader, writer = await wire.streams()
    began = time.monotonic()
    writer.write(at_once)
    dripping = asyncio.create_task(_drip(writer, slowly))
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(2 * CLOSED_WITHIN_SECONDS):
            await reader.read()  # until the end
    dripping.cancel()
    return time.monotonic() - began


async def _drip(writer: asyncio.StreamWriter, slowly: bytes) -> None:
    for byte in slowly:
        await asyncio.sleep(1)
        writer.write(bytes([byte]))
