from collections.abc import Awaitable

import httpx
import pytest

from settings import Settings
from tests.conftest import client_of, settings_for, unprepared_app

pytestmark = pytest.mark.any_database


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        cors_origins="https://App.Example.com:443/, capacitor://localhost",
        cors_headers="apollographql-client-name, baggage",
    )


def preflight(client: httpx.AsyncClient, headers: str, origin: str) -> Awaitable[httpx.Response]:
    return client.options(
        "/graphql",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": headers,
        },
    )


@pytest.mark.parametrize("path", ["/graphql", "/token", "/userinfo"])
async def test_a_chosen_origin_may_read_answers_and_errors(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path, headers={"Origin": "https://app.example.com"})

    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("origin", ["https://app.example.com", "capacitor://localhost"])
@pytest.mark.parametrize(
    "headers",
    [
        "authorization, content-type",
        "x-request-id",
        "content-type, gatehouse-session",
        "traceparent,tracestate",
        "apollographql-client-name, baggage, content-type",
    ],
)
async def test_a_chosen_origin_may_send_what_is_read_or_chosen(
    client: httpx.AsyncClient, headers: str, origin: str
) -> None:
    response = await preflight(client, headers, origin)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {name.strip() for name in headers.split(",")} <= set(allowed)


@pytest.mark.parametrize(
    "headers", ["x-http-method-override", "content-type, apollo-require-preflight"]
)
async def test_it_may_send_no_other_header(client: httpx.AsyncClient, headers: str) -> None:
    response = await preflight(client, headers, "https://app.example.com")

    assert response.status_code == 400


async def test_all_headers_may_be_allowed(database_url: str) -> None:
    settings = settings_for(database_url, cors_origins="*", cors_headers="*")
    async with unprepared_app(settings) as app, client_of(app) as client:
        response = await preflight(client, "x-anything", "https://app.example.com")

    assert response.status_code == 200


@pytest.mark.parametrize("origins", ["*", "*, https://app.example.com"])
async def test_cookies_are_never_allowed_to_all_origins(database_url: str, origins: str) -> None:
    settings = settings_for(database_url, cors_origins=origins)
    async with unprepared_app(settings) as app, client_of(app) as client:
        asked = await preflight(client, "gatehouse-session", "https://app.example.com")
        response = await client.get("/userinfo", headers={"Origin": "https://app.example.com"})

    for answer in (asked, response):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_chosen_origin_may_read_why_it_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/userinfo", headers={"Origin": "https://app.example.com"})
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")

    assert response.headers["WWW-Authenticate"]
    assert sorted(exposed) == ["Retry-After", "WWW-Authenticate", "X-Request-ID"]


async def test_no_other_origin_may(client: httpx.AsyncClient) -> None:
    response = await client.get("/userinfo", headers={"Origin": "https://evil.example"})
    asked = await preflight(client, "gatehouse-session", "https://evil.example")

    assert asked.status_code == 400
    for answer in (response, asked):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers
