"""`me` with one worker and with two, on two cores that they share with wrk and PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.measurement import Figures, measure
from benchmarks.operations import ME, body
from benchmarks.placements import ALL_CORES, BOTH_CORES, PGBOUNCER, SQLITE
from benchmarks.postgres import children_on
from benchmarks.processor_time import used_seconds
from benchmarks.seeded_database import Databases, SeededDatabase
from benchmarks.servers import serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS
from soak.postgres import Postgres
from soak.resource_usage import descendants
from tests.pgbouncer import running_pgbouncer

WORKER_KINDS = (ALL_CORES, SQLITE)
NUMBERS = (1, 2)
CONNECTIONS = 64

# PgBouncer's connections to PostgreSQL: as many as one worker may open by itself.
POOL_SIZE = 20


def workers(databases: Databases) -> dict[str, object]:
    """Return the figures by kind of database and number of workers."""
    with _by_pgbouncer(databases[ALL_CORES]) as pooled:
        return {
            database.kind: {str(number): _measure(number, database) for number in NUMBERS}
            for database in (databases[ALL_CORES], pooled, databases[SQLITE])
        }


@contextmanager
def _by_pgbouncer(database: SeededDatabase) -> Iterator[SeededDatabase]:
    with (
        children_on(BOTH_CORES),
        running_pgbouncer(database.url, "transaction", POOL_SIZE) as url,
    ):
        yield replace(database, kind=PGBOUNCER, url=url)


def _measure(number: int, database: SeededDatabase) -> Figures:
    with serving(GATEHOUSE, database.url, cores=BOTH_CORES, WORKERS=str(number)) as server:
        load = partial(
            measure,
            server,
            database.postgres,
            "/graphql",
            database.requests(body(ME)),
            expected='@example.com"',
            connections=CONNECTIONS,
            cores=BOTH_CORES,
        )
        load(seconds=1)  # warm up
        before = _seconds_of_pgbouncer()
        figures = load()
        return figures | {
            "pgbouncer": (_seconds_of_pgbouncer() - before) / SECONDS,
            "connections": _connections(database.postgres) if database.postgres else 0,
        }


def _connections(postgres: Postgres) -> int:
    """Return the number of connections that clients of PostgreSQL have, without this one."""
    with psycopg.connect(postgres.url) as connection:
        counted = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert counted is not None
    return int(counted[0])


def _seconds_of_pgbouncer() -> float:
    """Return the processor time of the PgBouncer that this process has started, or 0."""
    return sum(used_seconds(pid) for pid in descendants(os.getpid()) if _name(pid) == "pgbouncer")


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
