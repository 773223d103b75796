"""Questions at a steady pace, as people ask them: whether or not the last one has been answered yet.

A tool that waits for its answers asks less when the server is slow, and misses the times that others would have waited.
Here the time of an answer counts from when its question was due.
"""

import asyncio
import re
import time
from collections.abc import Sequence

from benchmarks.servers import PORT
from benchmarks.wrk import Request

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def times_ms(
    requests: Sequence[Request], *, connections: int, rate: int, seconds: int
) -> list[float]:
    """Of the answers to ``rate`` questions a second, which the connections ask in turns."""
    return asyncio.run(_times_ms(requests, connections, rate, seconds))


async def _times_ms(
    requests: Sequence[Request], connections: int, rate: int, seconds: int
) -> list[float]:
    begins = time.monotonic() + 0.1
    asking = (
        _ask(
            [requests[n % len(requests)] for n in range(own, rate * seconds, connections)],
            first_due=begins + own / rate,
            every=connections / rate,
        )
        for own in range(connections)
    )
    return [one for times in await asyncio.gather(*asking) for one in times]


async def _ask(requests: Sequence[Request], first_due: float, every: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    times = []
    for number, request in enumerate(requests):
        due = first_due + number * every
        await asyncio.sleep(due - time.monotonic())
        writer.write(_written(request))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        answer = await reader.readexactly(int(length[1]))
        times.append((time.monotonic() - due) * 1000)
        assert b'"errors"' not in answer, answer
    writer.close()
    return times


def _written(request: Request) -> bytes:
    return (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {request.token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(request.body)}\r\n\r\n{request.body}"
    ).encode()
