import httpx
import pytest
from sqlalchemy import inspect, text

from api.app import create_app
from db import migrations
from tests.conftest import client_of, settings_for


async def test_it_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    live = await client.get("/health/live")
    ready = await client.get("/health/ready")

    assert live.status_code == ready.status_code == 200
    assert live.json() == ready.json() == {"status": "ok"}


async def test_it_is_not_ready_without_its_tables(empty_database_url: str) -> None:
    app = create_app(settings_for(empty_database_url))
    engine = app.state.gatehouse.engine
    await migrations.upgrade(engine)
    async with app.router.lifespan_context(app), client_of(app) as client:
        async with engine.begin() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            [versions] = [table for table in tables if "version" in table]
            await connection.execute(text(f"DROP TABLE {versions}"))
        ready = await client.get("/health/ready")

    assert ready.status_code == 503
    assert "gatehouse migrate" in ready.json()["error_description"]


@pytest.mark.parametrize("path", ["/health/live", "/graphql", "/nowhere"])
async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient, path: str) -> None:
    one = await client.get(path)
    other = await client.get(path)

    assert one.headers["X-Request-ID"] != other.headers["X-Request-ID"]
