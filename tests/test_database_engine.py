"""The engine's guarantees for each database."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from db import postgres
from db.clock import DatabaseTime
from db.engine import CONNECTIONS
from db.errors import is_away
from db.models import User
from domain.services import Services
from tests.databases import wait_until_one_waits
from tests.operations import CREATE_POST, ME, SESSIONS, UPDATE_ME
from tests.posts import NOTES
from tests.servers import TIMEOUT_SECONDS
from tests.statements import begun
from tests.users import GraphQL, RegisteredUser


async def pragma(services: Services, name: str) -> object:
    async with services.database.reading() as session:
        return await session.scalar(text(f"PRAGMA {name}"))


async def test_sqlite_is_set_up_to_be_safe(services: Services, database_url: str) -> None:
    if database_url.startswith("postgresql"):
        pytest.skip("about SQLite")

    assert await pragma(services, "journal_mode") == "wal"
    assert await pragma(services, "foreign_keys") == 1
    assert await pragma(services, "synchronous") == 2  # FULL
    assert await pragma(services, "busy_timeout") == 5000


async def test_a_statement_that_asks_for_the_time_is_compiled_once(services: Services) -> None:
    compiled: dict[object, object] = {}

    async with services.database.reading() as session:
        for _ in range(2):
            await session.execute(
                select(DatabaseTime()), execution_options={"compiled_cache": compiled}
            )

    assert len(compiled) == 1


async def test_a_reader_does_not_wait_for_a_writer(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing() as session:
        (await session.scalars(select(User).with_for_update())).one().username = "Countess"
        await session.flush()
        me = await asyncio.wait_for(graphql(ME, by=ada), TIMEOUT_SECONDS)

    assert me.data["me"]["username"] == "Ada"


async def test_readers_do_not_wait_for_many_writers(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing() as session:
        await session.scalars(select(User).with_for_update())
        picture = {"imageFile": "ada.png"}
        # More writers than the pool has connections.
        writers = [
            asyncio.ensure_future(graphql(UPDATE_ME, by=ada, input=picture)) for _ in range(12)
        ]
        me = await asyncio.wait_for(graphql(ME, by=ada), TIMEOUT_SECONDS)
    written = await asyncio.gather(*writers)

    assert me.errors == []
    assert all(answer.errors == [] for answer in written)


async def test_an_error_of_the_driver_has_no_parameters_in_its_text(services: Services) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with services.database.reading() as session:
            await session.execute(text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})

    assert "hunter2" not in str(failed.value)
    assert not is_away(failed.value)


# The parameter is how long PostgreSQL waits for the end of each, in ms. It checks every 100 ms.
END_ALL = """
    SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def end_all_connections(database_url: str) -> int:
    """End every connection as a restart of PostgreSQL does, and return their number."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        ended = len(connection.execute(END_ALL, [0]).fetchall())
        connection.execute(END_ALL, [5_000])
    return ended


@pytest.mark.parametrize("kind", ["reads", "writes", "both"])
async def test_connections_that_postgresql_has_ended_are_replaced_unnoticed(
    graphql: GraphQL, ada: RegisteredUser, database_url: str, kind: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    documents = {
        "reads": ["{ posts { edges { cursor } } }"],
        "writes": [CREATE_POST],
        "both": [SESSIONS, CREATE_POST],
    }[kind] * CONNECTIONS

    async def execute_all() -> list[object]:
        answers = await asyncio.gather(*(graphql(one, by=ada, input=NOTES) for one in documents))
        return [answer.errors for answer in answers if answer.errors]

    assert await execute_all() == []
    for _ in range(3):
        assert end_all_connections(database_url) >= CONNECTIONS
        assert await execute_all() == []


def connections_of(database_url: str) -> set[int]:
    """Return the processes of PostgreSQL that serve a database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    return {pid for (pid,) in found}


@pytest.mark.parametrize("kind", ["reads", "writes"])
async def test_cancelling_what_is_nearly_done_costs_no_connection(
    services: Services,
    graphql: GraphQL,
    ada: RegisteredUser,
    database_url: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    # On a busy machine, the statement may take longer than its 30 milliseconds.
    monkeypatch.setattr(postgres, "REPLY_TIMEOUT", timedelta(seconds=TIMEOUT_SECONDS))
    is_open = asyncio.Semaphore(0)
    change = "UPDATE users SET image_file = 'partial.png'"

    async def work() -> None:
        database = services.database
        async with database.reading() if kind == "reads" else database.writing() as session:
            await session.execute(text("SELECT 1" if kind == "reads" else change))
            is_open.release()
            await session.execute(text("SELECT pg_sleep(0.03)"))

    async def start_and_cancel() -> None:
        tasks = [asyncio.create_task(work()) for _ in range(5 if kind == "reads" else 1)]
        for _ in tasks:
            await is_open.acquire()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    await start_and_cancel()
    before = connections_of(database_url)
    for _ in range(3):
        await start_and_cancel()
    after = connections_of(database_url)
    me = await graphql(ME, by=ada)

    assert after == before
    assert me.data["me"]["imageFile"] is None


async def test_a_refused_page_costs_those_beside_it_no_connection(
    graphql: GraphQL, ada: RegisteredUser, database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    page = "posts { edges { node { title } } }"
    pages = " ".join(f"page{number}: {page}" for number in range(CONNECTIONS))
    assert (await graphql(f"{{ {pages} }}")).errors == []
    before = connections_of(database_url)
    answers = [
        await graphql(f'{{ {pages} bad: posts(after: "nowhere") {{ edges {{ cursor }} }} }}')
        for _ in range(3)
    ]
    after = connections_of(database_url)

    assert {answer.code for answer in answers} == {"INVALID_INPUT"}
    assert after == before


async def test_cancelling_what_takes_long_closes_the_connection(
    services: Services, database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")

    async def work() -> None:
        async with services.database.reading() as session:
            await session.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(work())
    await asyncio.to_thread(wait_until_one_waits, database_url, "wait_event = 'PgSleep'")
    async with asyncio.timeout(5):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with services.database.reading() as session:
            assert await session.scalar(text("SELECT 1")) == 1


async def test_no_reader_is_overtaken(services: Services) -> None:
    requested: list[int] = []
    began: list[int] = []

    async def read(reader: int, meet: asyncio.Barrier | None = None) -> None:
        requested.append(reader)
        async with services.database.reading() as session:
            await session.connection()
            began.append(reader)
            await session.execute(text("SELECT 1"))
            if meet:
                await meet.wait()

    async def read_repeatedly(reader: int) -> None:
        for _ in range(10):
            await read(reader)

    # Connect first: connecting takes different times, which would change the order.
    all_connected = asyncio.Barrier(CONNECTIONS)
    await asyncio.gather(*(read(reader, all_connected) for reader in range(CONNECTIONS)))
    requested.clear()
    began.clear()
    await asyncio.gather(*(read_repeatedly(reader) for reader in range(3 * CONNECTIONS)))

    assert began == requested


async def test_whoever_leaves_the_queue_holds_up_nobody(services: Services) -> None:
    database, begun = services.database, asyncio.Semaphore(0)
    may_end = asyncio.Event()

    async def read() -> None:
        begun.release()
        async with database.reading():
            await may_end.wait()

    readers = [asyncio.create_task(read()) for _ in range(2 * CONNECTIONS)]
    for _ in readers:
        await begun.acquire()
    for reader in readers[::2]:
        reader.cancel()
    may_end.set()
    ended = await asyncio.gather(*readers, return_exceptions=True)

    assert ended[1::2] == [None] * CONNECTIONS
    async with asyncio.timeout(2):
        await asyncio.gather(*(read() for _ in range(2 * CONNECTIONS)))


async def test_a_cancelled_write_locks_nothing_while_its_error_is_kept(
    services: Services, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    """The traceback of the error refers to the cursor, which has rows left."""
    with begun("UPDATE users") as update_begun:
        writing = asyncio.create_task(rename_all(services))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await update_begun.wait()
        writing.cancel()
    [error] = await asyncio.gather(writing, return_exceptions=True)
    await rename_all(services)

    assert isinstance(error, asyncio.CancelledError)


async def rename_all(services: Services) -> None:
    async with services.database.writing() as session:
        renamed = update(User).values(locale="de").returning(User.id)
        await session.execute(renamed.execution_options(synchronize_session=False))
