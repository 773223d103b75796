"""An attack on one account with the default limits: 2,000 guesses by aliases and at /token.

`.env.example` says how many passwords are verified: for each of the account's two names 5 a minute,
20 an hour and 100 a day, from any number of networks. The owner can still log in from home.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from settings import Settings
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, SECURITY_EVENTS
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = pytest.mark.any_database

GUESSES = 2000

# An account can log in with two names, its username and its email.
NAMES = 2

ALIASES = 4


@dataclass
class Clock:
    """Replaces time.time(), which the limits use."""

    now: float

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(time.time())
    monkeypatch.setattr(time, "time", clock.time)
    return clock


@pytest.fixture
def settings(database_url: str) -> Settings:
    defaults = {
        name: field.default for name, field in Settings.model_fields.items() if "_limit_" in name
    }
    return settings_for(database_url, access_token_expire_minutes=60 * 24 * 7, **defaults)


@pytest.fixture
async def owner(client: httpx.AsyncClient) -> RegisteredUser:
    return await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")


@pytest.fixture
async def attackers(app: FastAPI) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Yield 200 clients, each from a network of its own."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(client_of(app, ip=f"2001:db8:0:{n:x}::1"))
            for n in range(200)
        ]


async def by_aliases(attacker: httpx.AsyncClient, passwords: list[str]) -> None:
    logins = " ".join(
        f'a{n}: login(username: "Ada", password: "{password}") {{ expiresIn }}'
        for n, password in enumerate(passwords)
    )
    response = await attacker.post("/graphql", json={"query": f"mutation {{ {logins} }}"})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] in ("INVALID_CREDENTIALS", "TOO_MANY_ATTEMPTS")


async def by_token(attacker: httpx.AsyncClient, password: str) -> None:
    form = {"grant_type": "password", "username": "ada@example.com", "password": password}
    response = await attacker.post("/token", data=form)
    assert response.status_code in (400, 429)


async def attack(
    attackers: list[httpx.AsyncClient],
    clock: Clock,
    *,
    guesses: int = GUESSES,
    at_once: int = 50,
    lasting: float = 0,
) -> None:
    """Guess passwords, half by aliases and half at /token, within ``lasting`` seconds."""
    everyone = itertools.cycle(attackers)
    passwords = (f"wrong engine {n}" for n in itertools.count())
    requests = []
    for _ in range(guesses // (2 * ALIASES)):
        requests.append(by_aliases(next(everyone), list(itertools.islice(passwords, ALIASES))))
        requests += [by_token(next(everyone), next(passwords)) for _ in range(ALIASES)]
    for first in range(0, len(requests), at_once):
        await asyncio.gather(*requests[first : first + at_once])
        clock.now += lasting * at_once / len(requests)


async def passwords_checked(client: httpx.AsyncClient, owner: RegisteredUser) -> int:
    """Return the number of wrong passwords that were verified: each is a security event."""
    checked: int = 0
    after = None
    while True:
        answer = await GraphQL(client)(SECURITY_EVENTS, by=owner, first=100, after=after)
        page = answer.data["me"]["securityEvents"]
        checked += sum(edge["node"]["kind"] == "WRONG_PASSWORD" for edge in page["edges"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return checked


async def can_log_in(client: httpx.AsyncClient, owner: RegisteredUser) -> bool:
    answer = await GraphQL(client)(LOGIN, username="Ada", password=owner.password)
    return not answer.errors


@pytest.mark.parametrize("networks", [1, 200])
async def test_in_a_minute_five_passwords_are_looked_at(
    attackers: list[httpx.AsyncClient],
    client: httpx.AsyncClient,
    owner: RegisteredUser,
    clock: Clock,
    networks: int,
) -> None:
    await attack(attackers[:networks], clock)

    assert await passwords_checked(client, owner) == NAMES * 5
    assert await can_log_in(client, owner)


async def test_in_a_day_a_hundred_passwords_are_looked_at(
    attackers: list[httpx.AsyncClient],
    client: httpx.AsyncClient,
    owner: RegisteredUser,
    clock: Clock,
) -> None:
    await attack(attackers, clock, guesses=GUESSES // 2, at_once=10, lasting=23.9 * 60 * 60)

    assert await passwords_checked(client, owner) == NAMES * 100
    assert await can_log_in(client, owner)
