"""Requests for a mail do not reveal whether an account has the address (OWASP ASVS 5, 6.3.8).

The same for sign-ins with a password is in test_passwords.py.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.mail.undeliverable import mark_undeliverable
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import REQUEST_PASSWORD_RESET, REQUEST_SIGN_IN, START_REGISTRATION
from tests.statements import statements
from tests.users import GraphQL, register_user

# The mutations that send a mail to an address, whoever asks.
REQUESTS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "requestPasswordReset": (REQUEST_PASSWORD_RESET, lambda email: {"email": email}),
    "requestSignIn": (REQUEST_SIGN_IN, lambda email: {"email": email}),
    "startRegistration": (
        START_REGISTRATION,
        lambda email: {"username": "Eva", "email": email, "password": "analytical engine"},
    ),
}

UNKNOWN = "nobody@example.com"
KNOWN = "ada@example.com"
UNDELIVERABLE = "eve@example.com"
ADDRESSES = (UNKNOWN, KNOWN, UNDELIVERABLE)

Send = Callable[[str], Awaitable[httpx.Response]]


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await register_user(GraphQL(client), "Ada", KNOWN, "analytical engine")
        await register_user(GraphQL(client), "Eve", UNDELIVERABLE, "analytical engine")
        await mark_undeliverable(app.state.gatehouse.services.database, UNDELIVERABLE)
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(params=REQUESTS)
def send(request: pytest.FixtureRequest, client: httpx.AsyncClient) -> Send:
    """Return a function that sends a request for a mail to an address."""
    document, variables = REQUESTS[request.param]

    async def send(email: str) -> httpx.Response:
        body = {"query": document, "variables": variables(email)}
        return await client.post("/graphql", json=body)

    return send


async def test_all_addresses_get_the_same_answer(send: Send) -> None:
    answers = []
    for email in ADDRESSES:
        response = await send(email)
        [answer] = response.json()["data"].values()
        ticket = answer["ticket"]
        headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
        answers.append((len(ticket), response.text.replace(ticket, ""), headers))

    assert len(answers[0][1]) > len('{"data":{}}')
    assert answers == [answers[0]] * len(ADDRESSES)


async def test_all_addresses_take_the_same_statements(send: Send) -> None:
    seen = []
    for email in ADDRESSES:
        with statements() as executed:
            await send(email)
        seen.append([sql for sql, _ in executed])

    assert len(seen[0]) >= 3
    assert seen == [seen[0]] * len(ADDRESSES)


async def test_all_addresses_take_the_same_time(send: Send) -> None:
    async def seconds(email: str) -> float:
        start = time.process_time()
        await send(email)
        return time.process_time() - start

    # Interleaved, so that other load on the machine affects all in the same way.
    rounds = [[await seconds(email) for email in ADDRESSES] for _ in range(31)]
    unknown, *others = (median(times) for times in zip(*rounds, strict=True))

    assert all(0.6 < unknown / other < 1.6 for other in others)
