"""Requests at a steady rate, sent whether or not the last response has arrived.

A load generator that waits for each response sends fewer requests when the server is slow, and so
misses the delay of the requests that were due meanwhile ("coordinated omission"). Here a response
time counts from when its request was due.
"""

import asyncio
import re
import time
from collections.abc import Sequence

from benchmarks.servers import PORT
from benchmarks.wrk import Request

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def response_times_ms(
    requests: Sequence[Request], *, connections: int, rate: int, seconds: int
) -> list[float]:
    """Send ``rate`` requests a second, spread over the connections.

    Returns each response time in milliseconds.
    """
    return asyncio.run(_response_times_ms(requests, connections, rate, seconds))


async def _response_times_ms(
    requests: Sequence[Request], connections: int, rate: int, seconds: int
) -> list[float]:
    start = time.monotonic() + 0.1
    sending = (
        _send(
            [requests[n % len(requests)] for n in range(place, rate * seconds, connections)],
            first_due=start + place / rate,
            interval=connections / rate,
        )
        for place in range(connections)
    )
    return [each for times in await asyncio.gather(*sending) for each in times]


async def _send(requests: Sequence[Request], first_due: float, interval: float) -> list[float]:
    """Send the requests on a connection of their own, and return their response times."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    times = []
    for number, request in enumerate(requests):
        due = first_due + number * interval
        await asyncio.sleep(due - time.monotonic())
        writer.write(_to_bytes(request))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        response = await reader.readexactly(int(length[1]))
        times.append((time.monotonic() - due) * 1000)
        assert b'"errors"' not in response, response
    writer.close()
    return times


def _to_bytes(request: Request) -> bytes:
    return (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {request.token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(request.body)}\r\n\r\n{request.body}"
    ).encode()
