"""What the engine promises of each database."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from api.dependencies import Services
from db.engine import is_away
from db.models import User
from tests.people import ME, GraphQL, Person


async def pragma(services: Services, name: str) -> object:
    async with services.gate.database.reading() as session:
        return await session.scalar(text(f"PRAGMA {name}"))


async def test_sqlite_is_set_up_to_be_safe(services: Services, database_url: str) -> None:
    if database_url.startswith("postgresql"):
        pytest.skip("about SQLite")

    assert await pragma(services, "journal_mode") == "wal"
    assert await pragma(services, "foreign_keys") == 1
    assert await pragma(services, "synchronous") == 2  # FULL
    assert await pragma(services, "busy_timeout") == 5000


async def test_a_reader_does_not_wait_for_a_writer(
    graphql: GraphQL, ada: Person, services: Services
) -> None:
    async with services.gate.database.writing() as session:
        (await session.scalars(select(User).with_for_update())).one().username = "Countess"
        await session.flush()
        me = await asyncio.wait_for(graphql(ME, by=ada), timeout=2)

    assert me.data["me"]["username"] == "Ada"


async def test_readers_do_not_wait_for_a_crowd_of_writers(
    graphql: GraphQL, ada: Person, services: Services
) -> None:
    async with services.gate.database.writing() as session:
        await session.scalars(select(User).with_for_update())
        update = 'mutation { updateMe(input: { imageFile: "ada.png" }) { id } }'
        # More than the pool has connections.
        writers = [asyncio.ensure_future(graphql(update, by=ada)) for _ in range(12)]
        me = await asyncio.wait_for(graphql(ME, by=ada), timeout=3)
    written = await asyncio.gather(*writers)

    assert me.errors == []
    assert all(answer.errors == [] for answer in written)


async def test_an_error_of_the_driver_has_no_parameters_in_its_text(services: Services) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with services.gate.database.reading() as session:
            await session.execute(text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})

    assert "hunter2" not in str(failed.value)
    assert not is_away(failed.value)
