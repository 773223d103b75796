"""An attack on the second factor of one account with the default limits, by someone who knows the
password: 5,000 codes over all ways in.

`.env.example` says how many codes are looked at: 5 in five minutes and 20 a day, from any number of
networks that the owner has not signed in from. The owner can still sign in from home.
"""

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from settings import Settings
from tests.authenticator_apps import App, Clock, log_in_with, set_up, stopped_clock
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, PASS_SECOND_FACTOR
from tests.security_events import events
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = pytest.mark.any_database

GUESSES = 5_000


@dataclass
class Hours:
    """Replaces time.time(), which the limits use."""

    now: float = field(default_factory=time.time)

    def time(self) -> float:
        return self.now


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    hours = Hours()
    monkeypatch.setattr(time, "time", hours.time)
    return hours


@pytest.fixture
def codes() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
def settings(database_url: str) -> Settings:
    defaults = {
        name: field.default for name, field in Settings.model_fields.items() if "_limit_" in name
    }
    return settings_for(
        database_url,
        data_key="a data key for tests and for nothing else but tests",
        environment="production",
        access_token_expire_minutes=60 * 24 * 7,
        **defaults,
    )


@pytest.fixture
async def owner(client: httpx.AsyncClient) -> RegisteredUser:
    return await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")


@pytest.fixture
async def phone(graphql: GraphQL, owner: RegisteredUser, codes: Clock) -> App:
    return await set_up(graphql, owner, codes)


@pytest.fixture
async def attackers(app: FastAPI) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Yield 200 clients, each from a network of its own."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(client_of(app, ip=f"2001:db8:0:{n:x}::1"))
            for n in range(200)
        ]


class Attack:
    """Guesses by all ways in, with whatever tickets the password yields."""

    def __init__(self, owner: RegisteredUser, phone: App) -> None:
        self._login = {"username": owner.username, "password": owner.password}
        right = {phone.code(steps=step) for step in (-1, 0)}
        self._codes = (code for n in itertools.count() if (code := f"{n % 10**6:06}") not in right)
        self._tickets: list[str] = []

    async def guess(self, attacker: httpx.AsyncClient) -> int:
        """Make four guesses, after a sign-in."""
        await self._sign_in(attacker)
        for ticket in self._tickets[-2:]:
            await self._in_the_graph(attacker, ticket)
        for ticket in self._tickets[-1:] or ["none"]:
            await self._at_token(attacker, {"mfa_token": ticket}, by_ticket=True)
        await self._at_token(attacker, self._login, by_ticket=False)
        return 4

    async def _sign_in(self, attacker: httpx.AsyncClient) -> None:
        answer = await GraphQL(attacker)(LOGIN, **self._login)
        assert answer.code in ("SECOND_FACTOR_REQUIRED", "TOO_MANY_ATTEMPTS")
        if answer.code == "SECOND_FACTOR_REQUIRED":
            self._tickets.append(answer.error["extensions"]["challenge"]["ticket"])

    async def _in_the_graph(self, attacker: httpx.AsyncClient, ticket: str) -> None:
        code = next(self._codes)
        answer = await GraphQL(attacker)(PASS_SECOND_FACTOR, ticket=ticket, code=code)
        assert answer.code in ("INVALID_CODE", "TOO_MANY_ATTEMPTS")

    async def _at_token(
        self, attacker: httpx.AsyncClient, form: dict[str, str], *, by_ticket: bool
    ) -> None:
        grant = "urn:gatehouse:grant:second-factor" if by_ticket else "password"
        form = {"grant_type": grant, "otp": next(self._codes), **form}
        response = await attacker.post("/token", data=form)
        assert response.status_code in (400, 429)


async def attack(
    attackers: list[httpx.AsyncClient],
    owner: RegisteredUser,
    phone: App,
    hours: Hours,
    *,
    number: int,
    lasting: float = 0,
) -> None:
    """Make a number of guesses within ``lasting`` seconds."""
    attempt, made = Attack(owner, phone), 0
    everyone = itertools.cycle(attackers)
    while made < number:
        guesses = await attempt.guess(next(everyone))
        made += guesses
        hours.now += lasting * guesses / number


async def codes_looked_at(graphql: GraphQL, owner: RegisteredUser) -> int:
    """Return the number of wrong codes that were verified: each is a security event."""
    return len(await events(graphql, owner, kinds=["WRONG_CODE"]))


# A network alone reaches its own limit soon.
@pytest.mark.parametrize(("networks", "number"), [(1, 1_000), (200, GUESSES)])
async def test_in_five_minutes_five_codes_are_looked_at(
    attackers: list[httpx.AsyncClient],
    graphql: GraphQL,
    owner: RegisteredUser,
    phone: App,
    hours: Hours,
    networks: int,
    number: int,
) -> None:
    await attack(attackers[:networks], owner, phone, hours, number=number)

    assert await codes_looked_at(graphql, owner) == 5
    assert (await log_in_with(graphql, owner, phone.code())).errors == []


async def test_in_a_day_twenty_codes_are_looked_at(
    attackers: list[httpx.AsyncClient],
    graphql: GraphQL,
    owner: RegisteredUser,
    phone: App,
    hours: Hours,
) -> None:
    await attack(attackers, owner, phone, hours, number=2_000, lasting=23.9 * 60 * 60)

    assert await codes_looked_at(graphql, owner) == 20
    assert (await log_in_with(graphql, owner, phone.code())).errors == []
