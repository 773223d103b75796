"""Databases with up to a million users, whose rows are inserted by SQL.

Each user has a session, a post and three events. All users have the same password.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, Connection, bindparam, create_engine, make_url, text

from benchmarks.placements import OTHER_CORE, SQLITE
from benchmarks.seeded_database import PASSWORD, empty_database, services_for
from db.models import UtcDateTime

SIZES = (1_000, 100_000, 1_000_000)

# `hashing` measures Argon2. Here it would hide the time of the database.
CHEAP = {"argon2_memory_kib": 8, "argon2_time_cost": 1}

_DRIVERS = {SQLITE: "sqlite", OTHER_CORE: "postgresql+psycopg"}

# SQLite stores an id as its hexadecimal digits.
_DIALECTS = {
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
    INSERT INTO sessions (id, user_id, method, device, ip, network, created_at, last_used_at,
        expires_at, family_hash, refresh_hash, rotations)
    {numbers} SELECT {id}, {id}, 'REGISTRATION', 'Firefox on Linux', '192.0.2.1', '192.0.2.1',
        :now, :now, :later, {random}, {random}, :none
    FROM numbers
    """,
    """
    INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
    {numbers} SELECT {id}, {id}, 'Of the engine', 'It weaves algebraic patterns.', :now, :now
    FROM numbers
    """,
    """
    INSERT INTO security_events (id, user_id, session_id, kind, device, ip, created_at)
    {numbers} SELECT {id_of_kth}, {id}, {id}, 'LOGGED_IN', 'Firefox on Linux', '192.0.2.1', :now
    FROM numbers, (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3) AS three
    """,
)

_TYPED_PARAMETERS = (
    bindparam("now", type_=UtcDateTime()),
    bindparam("later", type_=UtcDateTime()),
    bindparam("none", type_=JSON()),
)

_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :users)"
)

# The digits of a UUIDv7 of 2024, a millisecond or more after the one before: rows that are
# inserted later sort behind them. A user's rows have the same id in each table.
_ID = "CAST('019' || (100000000 + n) || '7000800000000000000' || {k} AS {uuid})"


@dataclass(frozen=True)
class BulkDatabase:
    """A database with the users ``user1``, ``user2`` and so on up to the number ``users``."""

    kind: str
    users: int
    url: str


@contextmanager
def bulk_databases() -> Iterator[Sequence[BulkDatabase]]:
    """Yield a database of each size and kind."""
    with ExitStack() as stack:
        created = [
            BulkDatabase(kind, users, stack.enter_context(empty_database(kind))[0])
            for kind in _DRIVERS
            for users in SIZES
        ]
        for database in created:
            _fill(database)
        yield created


def _fill(database: BulkDatabase) -> None:
    engine = create_engine(make_url(database.url).set(drivername=_DRIVERS[database.kind]))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if engine.name == "sqlite":
            # Durability is not needed: a file that is not complete is not used.
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
        _insert(connection, database)
        # Now, because PostgreSQL would otherwise do it at some time during the measurement.
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _insert(connection: Connection, database: BulkDatabase) -> None:
    dialect = _DIALECTS[connection.dialect.name]
    expressions = dialect | {
        "numbers": _NUMBERS,
        "id": _ID.format(k=0, **dialect),
        "id_of_kth": _ID.format(k="k", **dialect),
    }
    now = datetime.now(UTC)
    values = {
        "users": database.users,
        "password_hash": asyncio.run(_password_hash(database.url)),
        "now": now,
        "later": now + timedelta(days=14),
        "none": [],
    }
    for statement in _STATEMENTS:
        typed = [value for value in _TYPED_PARAMETERS if f":{value.key}" in statement]
        connection.execute(text(statement.format(**expressions)).bindparams(*typed), values)


async def _password_hash(url: str) -> str:
    services = services_for(url, **CHEAP)
    async with services.hashing_queue.slot() as hasher:
        password_hash = await hasher.hash(PASSWORD)
    await services.close()
    return password_hash
