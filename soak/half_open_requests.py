"""Hundreds of connections with an incomplete request, or none, beside complete requests.

The server must serve the complete requests, and close each incomplete one within
CLOSED_WITHIN_SECONDS.
"""

import asyncio
import time
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

from soak.audited_clients import OK, audited_clients, log_in, register_all
from soak.figures import Figures
from soak.raw_client import RawClient, graphql_request, p99, raw_clients, response_times
from soak.resource_usage import resource_usage
from soak.server_settings import SECRET_KEY
from tests.operations import ME
from tests.servers import running_server

USERS = 5
READERS = 4
READS_PER_SECOND = 50
MAX_P99_RATIO = 10.0

# Counted from when a connection was opened.
CLOSED_WITHIN_SECONDS = 30.0

COMPLETE = graphql_request(ME)
HEADERS = COMPLETE.index(b"\r\n\r\n") + 4

# For each kind: the bytes sent at once, and the bytes sent after them at one a second.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "no bytes": (b"", b""),
    "incomplete headers": (COMPLETE[: HEADERS // 2], b""),
    "incomplete body": (COMPLETE[:-8], b""),
    "slow headers": (COMPLETE[: HEADERS - 2] + b"X-Slow: ", b"a" * 1000),
    "slow body": (
        COMPLETE[:HEADERS].replace(b"Content-Length: ", b"Content-Length: 9"),
        b" " * 1000,
    ),
}


async def half_open_requests(
    url: str, folder: Path, *, number: int, seconds: float, port: int = 0
) -> Figures:
    """Measure `me` for ``seconds`` without and with ``number`` half-open requests."""
    figures = Figures()
    with (
        running_server(url, SECRET_KEY, folder, PORT=str(port)) as server,
        audited_clients(server.url, USERS) as users,
        raw_clients(server.url, READERS) as readers,
        raw_clients(server.url, number) as half_open,
    ):
        await register_all(users)

        async def p99_of_me() -> float:
            token = users[0].access_token
            return p99(
                await response_times(readers, ME, by=token, rate=READS_PER_SECOND, seconds=seconds)
            )

        without = await p99_of_me()
        files = resource_usage(server.process.pid).files
        kinds = [*islice(cycle(KINDS), number)]
        await asyncio.gather(*(client.connect() for client in half_open))
        holding = [
            asyncio.create_task(_hold_open(client, *KINDS[kind]))
            for client, kind in zip(half_open, kinds, strict=True)
        ]
        beside = await p99_of_me()
        logins = await asyncio.gather(*(log_in(user.raw, user.username) for user in users))
        held = resource_usage(server.process.pid).files - files
        durations = await asyncio.gather(*holding)
        figures.at_least("half-open requests during the measurement", held, 0.9 * number)
        figures.record("p99 of `me` without half-open requests (ms)", without * 1000)
        figures.record("p99 of `me` with half-open requests (ms)", beside * 1000)
        figures.at_most("ratio of the two p99", beside / without, MAX_P99_RATIO)
        figures.none("failed logins", [outcome for outcome in logins if outcome != OK])
        for kind in KINDS:
            longest = max(time for time, own in zip(durations, kinds, strict=True) if own == kind)
            figures.at_most(
                f"{kind}: time until the server closed (s)", longest, CLOSED_WITHIN_SECONDS
            )
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
    return figures


async def _hold_open(client: RawClient, at_once: bytes, slowly: bytes) -> float:
    """Return the seconds until the server closes, at most twice CLOSED_WITHIN_SECONDS."""
    reader, writer = await client.connect()
    began = time.monotonic()
    writer.write(at_once)
    sending = asyncio.create_task(_send_slowly(writer, slowly))
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(2 * CLOSED_WITHIN_SECONDS):
            await reader.read()  # until the server closes
    sending.cancel()
    return time.monotonic() - began


async def _send_slowly(writer: asyncio.StreamWriter, slowly: bytes) -> None:
    for byte in slowly:
        await asyncio.sleep(1)
        writer.write(bytes([byte]))
