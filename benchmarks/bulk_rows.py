"""Databases of very many people, written by SQL: each has a session, a post and three events, and all have one password."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, Connection, bindparam, create_engine, make_url, text

from benchmarks.seeded_database import PASSWORD, POSTGRESQL, SQLITE, empty_databases, services_of
from db.models import UtcDateTime
from tests import databases

SIZES = (1_000, 100_000, 1_000_000)

# Argon2 is measured elsewhere, and would hide what the database does.
CHEAP = {"argon2_memory_kib": 8, "argon2_time_cost": 1}

_DRIVERS = {SQLITE: "sqlite", POSTGRESQL: "postgresql+psycopg"}

# SQLite keeps an id as its digits.
_WORDS = {
    "sqlite": {"uuid": "text", "random": "lower(hex(randomblob(32)))"},
    "postgresql": {"uuid": "uuid", "random": "md5(random()::text) || md5(random()::text)"},
}

_STATEMENTS = (
    """
    INSERT INTO users (id, username, username_key, email, email_key, password_hash, created_at)
    {numbers} SELECT {id}, 'user' || n, replace(replace('user' || n, '0', 'o'), '1', 'l'),
        'user' || n || '@example.com', 'user' || n || '@example.com', :password_hash, :now
    FROM numbers
    """,
    """
    INSERT INTO sessions (id, user_id, method, device, ip, network, created_at, last_used_at, expires_at,
        family_hash, refresh_hash, rotations)
    {numbers} SELECT {id}, {id}, 'REGISTRATION', 'Firefox on Linux', '192.0.2.1', '192.0.2.1', :now, :now, :later,
        {random}, {random}, :none
    FROM numbers
    """,
    """
    INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
    {numbers} SELECT {id}, {id}, 'Of the engine', 'It weaves algebraic patterns.', :now, :now FROM numbers
    """,
    """
    INSERT INTO security_events (id, user_id, session_id, kind, device, ip, created_at)
    {numbers} SELECT {id_of_kth}, {id}, {id}, 'LOGGED_IN', 'Firefox on Linux', '192.0.2.1', :now
    FROM numbers, (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3) AS three
    """,
)

_OF_A_TYPE = (
    bindparam("now", type_=UtcDateTime()),
    bindparam("later", type_=UtcDateTime()),
    bindparam("none", type_=JSON()),
)

_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :people)"
)

# The digits of a UUIDv7 of 2024, each a millisecond or more after the last: whoever comes now comes behind them. In each
# table the rows of a person have the same.
_ID = "CAST('019' || (100000000 + n) || '7000800000000000000' || {k} AS {uuid})"


@dataclass(frozen=True)
class Crowd:
    """A database by its kind, with people from ``user1`` to the last."""

    kind: str
    people: int
    url: str


@contextmanager
def crowds() -> Iterator[Sequence[Crowd]]:
    with ExitStack() as stack:
        made = [
            Crowd(kind, people, url)
            for people in SIZES
            for kind, url in stack.enter_context(empty_databases()).items()
        ]
        for crowd in made:
            _gather(crowd)
        yield made


def _gather(crowd: Crowd) -> None:
    databases.migrate(crowd.url)
    engine = create_engine(make_url(crowd.url).set(drivername=_DRIVERS[crowd.kind]))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if engine.name == "sqlite":
            # A file that is not finished is worth nothing: it need not survive.
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        _insert(connection, crowd)
        # As PostgreSQL would by itself, some time in the middle of the measuring.
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _insert(connection: Connection, crowd: Crowd) -> None:
    words = _WORDS[connection.dialect.name]
    words = words | {
        "numbers": _NUMBERS,
        "id": _ID.format(k=0, **words),
        "id_of_kth": _ID.format(k="k", **words),
    }
    now = datetime.now(UTC)
    values = {
        "people": crowd.people,
        "password_hash": asyncio.run(_password_hash(crowd.url)),
        "now": now,
        "later": now + timedelta(days=14),
        "none": [],
    }
    for statement in _STATEMENTS:
        of_a_type = [value for value in _OF_A_TYPE if f":{value.key}" in statement]
        connection.execute(text(statement.format(**words)).bindparams(*of_a_type), values)


async def _password_hash(url: str) -> str:
    services = services_of(url, **CHEAP)
    async with services.hashing_queue.slot() as hasher:
        password_hash = await hasher.hash(PASSWORD)
    await services.close()
    return password_hash
