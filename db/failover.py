"""Several hosts in a URL: which of them a connection is opened to, and when it is left.

libpq waits for each host in turn, for the whole timeout, and nothing tells that a server on an open
connection is frozen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

from db.urls import by_host

Connection = TypeVar("Connection")

Parameters = dict[str, Any]

# How long the next host waits for the one before it. A server in the same region answers in less.
HEAD_START = timedelta(milliseconds=250)

# With any other, libpq may look at all hosts before it chooses one.
_OF_ONE_HOST = ("primary", "read-write")

# The event loop holds tasks weakly.
_losers: set[asyncio.Task[Any]] = set()


def each_host(parameters: Parameters) -> list[Parameters]:
    """Return the parameters for each host in the order to connect to them. They accept a primary
    alone, unless `target_session_attrs` says otherwise."""
    if "," not in str(parameters.get("host") or parameters.get("hostaddr")):
        # `target_session_attrs` goes by a message of the server that PgBouncer repeats after a
        # failover. So a single host is asked when the connection is prepared.
        return [parameters]
    parameters = {"target_session_attrs": "primary"} | parameters
    if parameters["target_session_attrs"] not in _OF_ONE_HOST:
        return [parameters]
    return [parameters | own for own in by_host(parameters)]


async def connect_to_one(
    connect: Callable[[Parameters], Awaitable[Connection]],
    hosts: Iterable[Parameters],
    close: Callable[[Connection], object],
    head_start: timedelta = HEAD_START,
) -> Connection:
    """Return the first connection that opens. The next host is tried when the one before it has
    failed or used its head start, and one that has failed again while another has not answered: it
    may be promoted meanwhile. Raises the error of the last host if all fail."""
    untried, failed = list(hosts), list[Parameters]()
    running: dict[asyncio.Task[Connection], Parameters] = {}
    try:
        while True:
            if untried:
                host = untried.pop(0)
                running[asyncio.ensure_future(connect(host))] = host
            ended, _ = await asyncio.wait(
                running,
                timeout=head_start.total_seconds() if untried or failed else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in ended:
                failed.append(running.pop(task))
                if task.exception() is None or not (untried or running):
                    return task.result()
            if not ended and not untried:
                untried, failed = failed, []
    finally:
        for task in running:
            _close_when_open(task, close)


def _close_when_open(task: asyncio.Task[Connection], close: Callable[[Connection], object]) -> None:
    def end(task: asyncio.Task[Connection]) -> None:
        _losers.discard(task)
        if not task.cancelled() and task.exception() is None:
            close(task.result())

    _losers.add(task)
    task.add_done_callback(end)
