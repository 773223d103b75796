"""A PostgreSQL database with millions of rows: migrated, used and pruned.

The rows are those of the release before. While they are migrated, another connection writes to the
table that has the most of them.
"""

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from db.migrations import REVISIONS
from domain.ids import first_id_of
from domain.security_events import EventKind
from settings import Settings
from soak.audited_clients import PASSWORD, REFRESH
from soak.bulk_rows import Sizes, fill, sizes_of, write_to_disk
from soak.figures import Figures
from soak.postgres import Postgres
from soak.raw_client import RawClient, p99, raw_clients
from soak.server_settings import SECRET_KEY
from tests.databases import migrate
from tests.operations import LOGIN, ME
from tests.servers import GATEHOUSE, environment, running_server

BEFORE = REVISIONS[-2]
SMALL = 1000

# Requests of each kind, one after the other, each of another user.
REQUESTS = 300

# What runs beside pruning, and for how long.
READS_PER_SECOND = 100
LOGINS_PER_SECOND = 5
CLIENTS = 10
SECONDS = 45

KEPT_FOR = timedelta(days=Settings.model_fields["retention_days"].default)

# The limits of pruning, on a machine that runs the clients as well.
MAX_P99_RATIO = 3.0
MAX_WRITE_SECONDS = 2.0

EVENTS = """query ($kinds: [SecurityEventKind!]) {
  me { securityEvents(first: 20, kinds: $kinds) { edges { node { id kind createdAt } } } } }"""
KINDS = {
    "all kinds": None,
    "three rare kinds": ["PASSWORD_CHANGED", "TOKEN_REUSED", "EMAIL_CHANGED"],
    # As the account pages read them.
    "all kinds but refreshes": [kind for kind in EventKind if kind is not EventKind.REFRESHED],
}


@dataclass(frozen=True)
class Request:
    document: str
    variables: Mapping[str, object]
    #: The access token.
    by: str | None = None


def size(postgres: Postgres, folder: Path, *, sizes: Sizes, port: int) -> Figures:
    figures = Figures()
    with figures.on_this_machine():
        _measure(figures, postgres, folder, sizes, port)
    return figures


def _measure(figures: Figures, postgres: Postgres, folder: Path, sizes: Sizes, port: int) -> None:
    figures.record(
        "users, sessions, security events", f"{sizes.users:,}, {sizes.sessions:,}, {sizes.events:,}"
    )
    with postgres.database(BEFORE) as url:
        fill(url, Sizes(sizes.users // SMALL, sizes.sessions // SMALL, sizes.events // SMALL))
        figures.record("gatehouse migrate of a thousandth (s)", _migrate(url)[0])
    with postgres.database(BEFORE) as url:
        began = time.monotonic()
        fill(url, sizes)
        figures.record("insertion of the rows (s)", time.monotonic() - began)
        before = dict(sizes_of(url))
        seconds, slowest = _migrate(url)
        figures.record("gatehouse migrate (s)", seconds)
        figures.at_most("slowest write during it (s)", slowest, MAX_WRITE_SECONDS)
        after = dict(sizes_of(url))
        for name in sorted({*before, *after}):
            megabytes = (f"{of.get(name, 0) / 1e6:,.0f}" for of in (before, after))
            figures.record(f"{name}: MB before and after", ", ".join(megabytes))
        _record_growth(figures, url, sizes)
        write_to_disk(url)
        with running_server(url, SECRET_KEY, folder, PORT=str(port)) as server:
            asyncio.run(_record_requests(figures, server.url, sizes))
            _record_pruning(figures, server.url, url, folder, sizes)
            figures.none("tracebacks in the log", server.logged().count("Traceback"))


def _migrate(url: str) -> tuple[float, float]:
    """Migrate a database, and return the seconds that it took and those of the slowest write."""
    with _writing(url) as seconds:
        began = time.monotonic()
        migrate(url)
        took = time.monotonic() - began
    return took, max(seconds)


@contextmanager
def _writing(url: str) -> Iterator[list[float]]:
    """Insert a security event now and then, and yield the list of the seconds that each took."""
    seconds, is_over = [], threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not is_over.wait(0.05):
                began = time.monotonic()
                connection.execute(
                    "INSERT INTO security_events (id, kind, created_at)"
                    " VALUES (gen_random_uuid(), 'WRONG_PASSWORD', now())"
                )
                seconds.append(time.monotonic() - began)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield seconds
    finally:
        is_over.set()
        writer.join()


def _record_growth(figures: Figures, url: str, sizes: Sizes) -> None:
    """Record what a row takes, with its entries in all indexes."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relname IN ('users', 'sessions', 'security_events') AND relkind = 'r'"
        )
        total: dict[str, int] = dict(found.fetchall())
    user, session = total["users"] / sizes.users, total["sessions"] / sizes.sessions
    event = total["security_events"] / sizes.events
    figures.record(
        "bytes of a user, a session, an event", f"{user:.0f}, {session:.0f}, {event:.0f}"
    )
    # A sign-in makes a session and two events, the second when it ends.
    figures.record(
        "kilobytes of a user and a year, with a sign-in each week, all kept",
        f"{(user + 52 * (session + 2 * event)) / 1000:.0f}",
    )
    figures.record("kilobytes of a week of ten refreshes a day", f"{70 * event / 1000:.0f}")


async def _record_requests(figures: Figures, url: str, sizes: Sizes) -> None:
    with raw_clients(url, 1) as [client]:

        async def record(name: str, requests: Iterable[Request]) -> list[Any]:
            times, found = [], []
            for request in requests:
                began = time.monotonic()
                found.append(await _execute(client, request))
                times.append(time.monotonic() - began)
            figures.record(f"{name}: p50, p99 (ms)", _percentiles(times))
            return found

        tokens = [data["login"] for data in await record("login", _logins(sizes, REQUESTS))]
        access = (await _execute(client, _login("user1")))["login"]["accessToken"]
        await record("me", (Request(ME, {}, token["accessToken"]) for token in tokens))
        for name, kinds in KINDS.items():
            of_users = (Request(EVENTS, {"kinds": kinds}, one["accessToken"]) for one in tokens)
            await record(f"securityEvents, {name}", of_users)
            of_one = [Request(EVENTS, {"kinds": kinds}, access)] * REQUESTS
            await record(f"securityEvents, {name}, of the user with most", of_one)
        refreshes = (Request(REFRESH, {"token": one["refreshToken"]}) for one in tokens)
        await record("refresh", refreshes)


def _record_pruning(
    figures: Figures, url: str, database_url: str, folder: Path, sizes: Sizes
) -> None:
    """Record the response times beside pruning, before and after it, and beside it at full speed.

    The limits are by the slower of the two without it: other processes use the machine, too.
    """

    def measure(title: str, *command: str) -> dict[str, float]:
        """Record the response times, and return their p99."""
        old, began = _old_rows(database_url), time.monotonic()
        with _running(command, database_url, folder) if command else nullcontext():
            times = asyncio.run(_load(url, sizes))
        seconds = time.monotonic() - began
        if command:
            deleted = (old - _old_rows(database_url)) / seconds
            figures.record(f"{title}: rows deleted in a second", f"{deleted:,.0f}")
        for name, each in times.items():
            figures.record(f"{title}: {name}, p50, p99 (ms)", _percentiles(each))
        return {name: p99(each) for name, each in times.items()}

    before = measure("before pruning")
    beside = measure("gatehouse prune", "prune")
    after = measure("after pruning")
    measure("gatehouse prune --full-speed", "prune", "--full-speed")
    for name, seconds in beside.items():
        ratio = seconds / max(before[name], after[name])
        figures.at_most(f"p99 of {name} beside gatehouse prune, in times", ratio, MAX_P99_RATIO)


@contextmanager
def _running(command: Sequence[str], database_url: str, folder: Path) -> Iterator[None]:
    """Run a command of Gatehouse, and stop it if it has not ended by the end of the block."""
    process = subprocess.Popen(
        [GATEHOUSE, *command],
        cwd=folder,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _old_rows(url: str) -> int:
    """Return the number of sessions and events that are to be pruned."""
    before = datetime.now(UTC) - KEPT_FOR
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM sessions WHERE expires_at < %s)"
            " + (SELECT count(*) FROM security_events WHERE id < %s)",
            [before, first_id_of(before)],
        )
        [number] = found.fetchall()[0]
    return int(number)


async def _load(url: str, sizes: Sizes) -> dict[str, list[float]]:
    """Read `me` and log in users for a while, and return the seconds of the responses."""
    with raw_clients(url, CLIENTS) as [*readers, first, second]:
        token = (await _execute(first, _login("user1")))["login"]["accessToken"]
        reads = [Request(ME, {}, token)] * (READS_PER_SECOND * SECONDS)
        logins = _logins(sizes, LOGINS_PER_SECOND * SECONDS)
        me, login = await asyncio.gather(
            _on_schedule(readers, reads, READS_PER_SECOND),
            _on_schedule([first, second], logins, LOGINS_PER_SECOND),
        )
    return {"me": me, "login": login}


async def _on_schedule(
    clients: Sequence[RawClient], requests: Sequence[Request], rate: int
) -> list[float]:
    """Return the response times in seconds, each from when its request was due."""
    start, times = time.monotonic(), list[float]()

    async def send(client: RawClient, place: int) -> None:
        for number in range(place, len(requests), len(clients)):
            due = start + number / rate
            await asyncio.sleep(due - time.monotonic())
            await _execute(client, requests[number])
            times.append(time.monotonic() - due)

    await asyncio.gather(*(send(client, place) for place, client in enumerate(clients)))
    return times


def _logins(sizes: Sizes, number: int) -> list[Request]:
    """Return the logins of users from all over the table."""
    step = max(1, sizes.users // number)
    return [_login(f"user{2 + place * step % (sizes.users - 1)}") for place in range(number)]


def _login(name: str) -> Request:
    return Request(LOGIN, {"username": name, "password": PASSWORD})


async def _execute(client: RawClient, request: Request) -> Any:
    answer = await client.execute(request.document, by=request.by, **request.variables)
    assert answer.errors == [], answer.errors
    return answer.data


def _percentiles(times: list[float]) -> str:
    return f"{median(times) * 1000:.1f}, {p99(times) * 1000:.1f}"
