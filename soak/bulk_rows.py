"""A PostgreSQL database with millions of users, sessions and security events, inserted by SQL."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from argon2 import PasswordHasher
from psycopg import sql

from soak.audited_clients import PASSWORD

# The user who has a part of all events, and whose name is `user1`.
HEAVY_USER_ID = UUID("01900000-0000-7000-8000-000000000001")
HEAVY_USER_PART = 20

# Twice as long as the rows are kept by default, so that half of the events are to be pruned.
PAST = timedelta(days=180)

# Half of the events of ordinary users are refreshes, those of the heavy user are wrong passwords,
# and one of a hundred is an attempt on an account that does not exist.
_STATEMENTS = (
    """
    INSERT INTO users (id, username, username_key, email, email_key, password_hash, created_at)
    SELECT {user_id}, 'user' || n, replace(replace('user' || n, '0', 'o'), '1', 'l'),
        'user' || n || '@example.com', 'user' || n || '@example.com', %(password_hash)s, %(began)s
    FROM generate_series(1::bigint, %(users)s) AS n
    """,
    """
    INSERT INTO sessions (id, user_id, method, device, ip, network, created_at, last_used_at,
        expires_at, ended_at, family_hash, refresh_hash, rotations, proved_at, amr)
    SELECT {time_id}, {user_id}, 'LOGIN', 'Firefox on Linux', '192.0.2.1', '192.0.2.1',
        at, at, CASE m %% 3 WHEN 0 THEN at + interval '1 day' ELSE at + interval '14 days' END,
        CASE m %% 3 WHEN 0 THEN at + interval '1 day' END,
        md5(m::text) || md5('x' || m), md5('y' || m) || md5('z' || m),
        '[]', at, '["pwd"]'
    FROM (
        SELECT m, %(began)s + m / %(sessions)s::float * %(past)s AS at, 1 + m * 7919 %% %(users)s AS n
        FROM generate_series(1::bigint, %(sessions)s) AS m
    ) AS numbers
    """,
    """
    INSERT INTO security_events (id, user_id, session_id, kind, device, ip, created_at)
    SELECT {time_id},
        CASE WHEN m %% 100 = 99 THEN NULL WHEN is_heavy THEN {heavy_user_id} ELSE {user_id} END,
        {user_id},
        CASE WHEN is_heavy OR m %% 100 = 99 THEN 'WRONG_PASSWORD'
            ELSE (ARRAY['REFRESHED', 'LOGGED_IN', 'REFRESHED', 'SESSION_ENDED'])[1 + m %% 4] END,
        'Firefox on Linux', '192.0.2.1', at
    FROM (
        SELECT m, m %% %(part)s = 0 AS is_heavy, %(began)s + m / %(events)s::float * %(past)s AS at,
            1 + m * 7919 %% %(users)s AS n
        FROM generate_series(1::bigint, %(events)s) AS m
    ) AS numbers
    """,
)

# A UUIDv7 of a time, and one that a number is in.
_TIME_ID = (
    "(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')"
    " || '7' || substr(md5(m::text), 1, 3) || '8' || substr(md5(m::text), 4, 15))::uuid"
)
_USER_ID = "('0190000000007000' || '8' || lpad(to_hex(n), 15, '0'))::uuid"


@dataclass(frozen=True)
class Sizes:
    users: int
    sessions: int
    events: int


def fill(url: str, sizes: Sizes) -> None:
    """Insert the rows. All users have the same password.

    The indexes are made again afterwards, so they are as small as they can be.
    """
    names = {
        "time_id": sql.SQL(_TIME_ID),
        "user_id": sql.SQL(_USER_ID),
        "heavy_user_id": sql.Literal(HEAVY_USER_ID),
    }
    values = {
        "users": sizes.users,
        "sessions": sizes.sessions,
        "events": sizes.events,
        "part": HEAVY_USER_PART,
        "past": PAST,
        "began": datetime.now(UTC) - PAST,
        "password_hash": PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD),
    }
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        # Nothing is lost if the server stops: the database is made for one run. The users of all
        # sessions exist.
        connection.execute(
            "SET synchronous_commit = off; SET session_replication_role = replica;"
            "SET maintenance_work_mem = '512MB'"
        )
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for statement in _STATEMENTS:
            connection.execute(sql.SQL(statement).format(**names), values)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")


# Those that belong to no constraint.
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('users', 'sessions', 'security_events') AND indexname LIKE 'ix\\_%'
"""


def write_to_disk(url: str) -> None:
    """Write what is in memory to the disk, so that it does not delay what is measured next."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def sizes_of(url: str) -> list[tuple[str, int]]:
    """Return the names of the tables and indexes with rows, and their bytes: the largest first."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class"
            " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
            " AND pg_relation_size(oid) > 1000000 ORDER BY 2 DESC"
        ).fetchall()
