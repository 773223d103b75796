"""The security headers of every response."""

import httpx
import pytest
from fastapi import FastAPI

from settings import Settings
from tests.conftest import client_of, settings_for, unprepared_app
from tests.servers import Server
from tests.users import RegisteredUser

pytestmark = pytest.mark.any_database

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, cors_origins="https://app.example.com")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/graphql", 200),
        ("GET", "/graphql", 400),
        ("PUT", "/graphql", 405),
        ("POST", "/token", 400),
        ("GET", "/userinfo", 401),
        ("GET", "/nowhere", 404),
        ("GET", "/explorer/nowhere.js", 404),
        ("GET", "/docs", 200),
        ("GET", "/docs/assets/swagger-ui.css", 200),
        ("GET", "/health/live", 200),
        ("OPTIONS", "/graphql", 200),
    ],
)
async def test_every_answer_has_them(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    response = await client.request(
        method,
        path,
        headers=preflight if method == "OPTIONS" else {},
        json={"query": "{ __typename }"} if method == "POST" else None,
    )

    assert response.status_code == status
    assert HEADERS.items() <= {name: response.headers.get(name) for name in HEADERS}.items()
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


async def test_on_https_no_window_that_opened_it_gets_at_it(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://gatehouse.test") as client:
        response = await client.get("/health/live")

    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_serving_process_does_not_say_what_it_is(server: Server) -> None:
    assert "Server" not in httpx.get(f"{server.url}/health/live").headers


async def test_a_body_that_is_too_big_has_them_too(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json="x" * 2_000_000)

    assert response.status_code == 413
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_answer_of_the_api_may_load_nothing(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    by_ada = {"Authorization": f"Bearer {ada.token}"}
    response = await client.get("/userinfo", headers=by_ada)

    assert response.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "script-src" not in response.headers["Content-Security-Policy"]


async def test_any_origin_never_comes_with_credentials(database_url: str) -> None:
    async with (
        unprepared_app(settings_for(database_url, cors_origins="*")) as app,
        client_of(app) as client,
    ):
        response = await client.get("/health/live", headers={"Origin": "https://evil.example"})

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
