"""No password, token or hash reaches a response or a log, by any path."""

import logging
import socket
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from domain.errors import to_domain_error
from domain.services import Services
from graphql_schema.mutations.accounts import RegisterInput
from graphql_schema.types.token import Token
from settings import Settings
from tests.conftest import SECRET_KEY
from tests.servers import TIMEOUT_SECONDS, Server
from tests.users import RegisteredUser

PASSWORD = "hunter2hunter2"


@pytest.mark.parametrize(
    "document",
    [
        f'mutation {{ login(username: "Ada", password: "{PASSWORD}") {{ accessToken }}',
        f'mutation {{ login(username: "Ada", password "{PASSWORD}") {{ accessToken }} }}',
        f"mutation {{ login(username: Ada, password: {PASSWORD}) {{ accessToken }} }}",
        f'mutation {{ login(username: "Ada", password: "{PASSWORD}) {{ accessToken }} }}',
        f"mutation {{ login(username: 'Ada', password: '{PASSWORD}') {{ accessToken }} }}",
        f'mutation {{ login(username: "Ada", password: ${PASSWORD}) {{ accessToken }} }}',
        f'mutation {{ login(username: "Ada", password: ["{PASSWORD}"]) {{ accessToken }} }}',
        f'mutation {{ login(username: "Ada", password: {{a: "{PASSWORD}"}}) {{ accessToken }} }}',
        f'mutation {{ login(username: "Ada", "{PASSWORD}") {{ accessToken }} }}',
        f'mutation {{ login(username: "Ada", password: """{PASSWORD}""" x) {{ accessToken }} }}',
        f'mutation {{ register(input: {{password: "{PASSWORD}"}}) {{ accessToken }} }}',
        f'mutation {{ register(input: "{PASSWORD}") {{ accessToken }} }}',
        f'mutation {{ register(input: {{password: "{PASSWORD}", passwort: 1}}) {{ accessToken }} }}',
        f'"{PASSWORD}"',
        f'mutation {{ login(username: "Ada", password: "{PASSWORD}") {{ nothing }} }}',
        f'mutation ($p: String = ["{PASSWORD}"]) {{ login(username: "A", password: $p) {{ expiresIn }} }}',
        f'mutation {{ login(username: "Ada", password: "{PASSWORD}") {{ expiresIn }} }}',
    ],
)
async def test_an_inline_password_in_a_broken_document(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, document: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        by_post = await client.post("/graphql", json={"query": document})
        by_get = await client.get("/graphql", params={"query": document})

    assert by_post.json()["errors"]
    # httpx, the client, logs the URL of each request.
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert "hunter2" not in by_post.text + by_get.text + "".join(logged)


@pytest.mark.parametrize(
    "digits", ["12345678901", "-12345678901", "1234567.8901", "012345678901", "12345678901x"]
)
async def test_an_inline_password_of_digits(client: httpx.AsyncClient, digits: str) -> None:
    document = f'mutation {{ login(username: "Ada", password: {digits}) {{ accessToken }} }}'
    response = await client.post("/graphql", json={"query": document})

    assert response.json()["errors"]
    assert "5678" not in response.text
    assert "8901" not in response.text


@pytest.mark.parametrize(
    "variables",
    [
        {"input": PASSWORD},
        {"input": [PASSWORD]},
        {"input": {"password": [PASSWORD]}},
        {"input": {"password": {"is": PASSWORD}}},
        {"input": {"password": PASSWORD}},
        {"input": {"username": "Ada", "email": "a@example.com", "password": [PASSWORD]}},
        {"input": {"username": 5, "email": 5, "password": PASSWORD}},
        {"input": {"username": "A", "email": "a@b.co", "password": PASSWORD, "passwrd": 5}},
        {"inputs": {"password": PASSWORD}},
    ],
)
async def test_a_password_in_a_wrongly_typed_variable(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, variables: object
) -> None:
    document = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }"
    with caplog.at_level(logging.DEBUG):
        response = await client.post("/graphql", json={"query": document, "variables": variables})

    [*errors] = response.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert "hunter2" not in response.text + caplog.text


async def test_a_hash_in_a_database_error(
    ada: RegisteredUser, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011  (each driver has its own)
        async with services.database.writing() as session:
            # PostgreSQL's message contains the whole failing row, with the hash.
            await session.execute(text("UPDATE users SET username = NULL"))

    error = to_domain_error(failed.value, request_id="r1")

    assert error.code == "INTERNAL_ERROR"
    assert "r1" in caplog.text
    assert "argon2" not in error.message + caplog.text
    assert "example.com" not in error.message + caplog.text


async def test_a_fault_of_ours_is_masked_and_found_by_its_id(
    client: httpx.AsyncClient,
    ada: RegisteredUser,
    services: Services,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with services.database.writing() as session:
        await session.execute(text("ALTER TABLE users RENAME COLUMN username TO login"))
    by_ada = {"Authorization": f"Bearer {ada.token}"}
    try:
        graphql = await client.post("/graphql", json={"query": "{ me { id } }"}, headers=by_ada)
        rest = await client.get("/userinfo", headers=by_ada)
    finally:
        async with services.database.writing() as session:
            await session.execute(text("ALTER TABLE users RENAME COLUMN login TO username"))

    [error] = graphql.json()["errors"]
    assert error["extensions"] == {
        "code": "INTERNAL_ERROR",
        "requestId": graphql.headers["X-Request-ID"],
    }
    assert rest.status_code == 500
    assert rest.json()["error"] == "server_error"
    assert graphql.headers["X-Request-ID"] in caplog.text
    assert rest.headers["X-Request-ID"] in caplog.text
    assert "SELECT" not in graphql.text + rest.text


def test_the_log_of_a_running_server(shared_server: Server) -> None:
    server = shared_server
    document = f'mutation {{ login(username: "Ada", password: "{PASSWORD}") {{ expiresIn }} }}'
    httpx.get(f"{server.url}/graphql?query={quote(document)}")
    httpx.get(f"{server.url}/token?password={PASSWORD}")
    # With the absolute URL that clients send to a proxy, which httpx cannot send.
    with socket.create_connection(
        (httpx.URL(server.url).host, httpx.URL(server.url).port or 80), TIMEOUT_SECONDS
    ) as raw:
        raw.sendall(f"GET {server.url}/graphql?q={PASSWORD} HTTP/1.0\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1")
    httpx.post(f"{server.url}/graphql", json={"query": document})
    httpx.post(
        f"{server.url}/token",
        data={"grant_type": "password", "username": "Ada", "password": PASSWORD},
    )

    assert "GET /graphql" in server.logged()
    assert "hunter2" not in server.logged()


def test_no_repr_shows_a_secret(settings: Settings) -> None:
    shown = [
        repr(settings),
        repr(RegisterInput(username="Ada", email="ada@example.com", password=PASSWORD)),
        repr(
            Token(
                access_token=PASSWORD,
                token_type="bearer",
                expires_in=1,
                refresh_token=PASSWORD,
                user=None,  # type: ignore[arg-type]
            )
        ),
    ]

    assert not any(SECRET_KEY in text or PASSWORD in text for text in shown)
