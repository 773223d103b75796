"""More logins than the queue of hashes holds.

Argon2 has the costs of production here, because cheap hashes would not queue.
"""

import asyncio
from datetime import timedelta

import httpx
import pytest

from domain.passwords import hashing
from domain.passwords.hashing import SLOTS_PER_THREAD, WAITING_PER_THREAD
from settings import Settings
from tests.conftest import settings_for
from tests.operations import LOGIN
from tests.users import GraphQL

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
