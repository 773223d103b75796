"""More logins than the queue of hashes holds.

Argon2 has the costs of production here, because cheap hashes would not queue.
"""

import asyncio
from datetime import timedelta

import httpx
import pytest

from api import fair_scheduler
from api.app import create_app
from domain.passwords import hashing
from domain.passwords.hashing import SLOTS_PER_THREAD, WAITING_PER_THREAD
from settings import Settings
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, ME
from tests.users import GraphQL

pytestmark = pytest.mark.any_database

MORE_THAN_FIT = WAITING_PER_THREAD + 60


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    # On a slow machine some logins would wait longer than the limits of production.
    monkeypatch.setattr(hashing, "MAX_WAIT", timedelta(minutes=5))
    return settings_for(
        database_url,
        argon2_memory_kib=19456,
        argon2_time_cost=2,
        hashing_threads=1,
        request_deadline_seconds=300,
    )


async def test_login_past_the_queue_is_overloaded_and_the_others_are_served(
    graphql: GraphQL,
) -> None:
    answers = await asyncio.gather(
        *(
            graphql(LOGIN, username="Nobody", password="difference engine")
            for _ in range(MORE_THAN_FIT)
        )
    )

    codes = [answer.code for answer in answers]
    assert set(codes) == {"OVERLOADED", "INVALID_CREDENTIALS"}
    assert codes.count("INVALID_CREDENTIALS") >= SLOTS_PER_THREAD + WAITING_PER_THREAD


async def test_token_past_the_queue_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    form = {"grant_type": "password", "username": "Nobody", "password": "difference engine"}
    answers = await asyncio.gather(
        *(client.post("/token", data=form) for _ in range(MORE_THAN_FIT))
    )

    assert {answer.status_code for answer in answers} == {400, 503}
    [refused, *_] = [answer for answer in answers if answer.status_code == 503]
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"] == "temporarily_unavailable"


@pytest.mark.parametrize("prefix", ["", "/accounts"])
async def test_a_request_that_waits_for_too_many_others_is_refused_in_the_format_of_its_route(
    database_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_scheduler, "MAX_AT_ONCE", 0)
    monkeypatch.setattr(fair_scheduler, "MAX_WAITING", 0)
    monkeypatch.setattr(fair_scheduler, "REMEMBERED", timedelta.max)
    app = create_app(settings_for(database_url, public_url=f"http://127.0.0.1:8000{prefix}"))
    async with (
        app.router.lifespan_context(app),
        client_of(app, ip="198.51.100.1") as other,
        client_of(app) as client,
    ):
        await other.get("/health/live")
        in_the_graph = await client.post(f"{prefix}/graphql", json={"query": ME})
        elsewhere = await client.get(f"{prefix}/userinfo")

    assert in_the_graph.status_code == 200
    assert in_the_graph.json()["errors"][0]["extensions"] == {"code": "OVERLOADED"}
    assert elsewhere.status_code == 503
    assert elsewhere.json()["error"] == "temporarily_unavailable"
