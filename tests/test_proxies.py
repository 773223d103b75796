"""The configurations of nginx and Caddy in deploy/, with other ports, in front of a real server."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests import databases
from tests.conftest import SECRET_KEY
from tests.images import JPEG
from tests.operations import REGISTER, SESSIONS
from tests.pictures import path_of
from tests.proxies import CLIENT, NAME, PROXIES, Front, running
from tests.servers import TIMEOUT_SECONDS, running_server


@pytest.fixture(scope="module", params=PROXIES)
def front(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    if not PROXIES[request.param]:
        pytest.skip(f"needs {request.param}")
    folder = tmp_path_factory.mktemp(request.param)
    url = databases.copy_of(migrated_sqlite, folder)
    with (
        running_server(url, SECRET_KEY, folder, TRUSTED_PROXIES="127.0.0.1") as server,
        running(request.param, folder, server) as front,
    ):
        yield front


@pytest.fixture(scope="module")
def token(front: Front) -> str:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    answer = front.post("/graphql", json={"query": REGISTER, "variables": ada})
    token: str = answer.json()["data"]["register"]["accessToken"]
    return token


def test_a_client_has_its_own_address_and_cannot_choose_another(front: Front, token: str) -> None:
    login = {"grant_type": "password", "username": "Ada", "password": "analytical engine"}
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6", "Forwarded": "for=6.6.6.6"}
    front.post("/token", data=login, headers=forged)
    answer = front.post(
        "/graphql", json={"query": SESSIONS}, headers={"Authorization": f"Bearer {token}"}
    )

    assert {session["ip"] for session in answer.json()["data"]["me"]["sessions"]} == {CLIENT}
    assert len(answer.json()["data"]["me"]["sessions"]) == 2
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_body_that_is_too_big_is_refused(front: Front) -> None:
    answer = front.post("/graphql", json={"query": " " * 2 * 1024 * 1024})

    assert answer.status_code == 413


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 413)])
def test_only_a_picture_may_have_five_mebibytes(
    front: Front, token: str, excess: int, status: int
) -> None:
    answer = front.send(
        "PUT",
        "/me/picture",
        content=JPEG + bytes(5 * 1024 * 1024 - len(JPEG) + excess),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg"},
    )

    assert answer.status_code == status


def test_a_picture_keeps_its_headers(front: Front, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg"}
    address = front.send("PUT", "/me/picture", content=JPEG, headers=headers).json()["picture"]
    answer = front.send("GET", path_of(address))
    removed = front.send("DELETE", "/me/picture", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert removed.status_code == 204
    assert front.send("GET", path_of(address)).status_code == 404


def test_metrics_are_not_for_the_public(front: Front) -> None:
    assert front.post("/metrics").status_code == 404


def test_a_body_that_comes_too_slowly_is_refused(front: Front) -> None:
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    with (
        socket.create_connection(("127.0.0.1", front.port), TIMEOUT_SECONDS) as plain,
        front.tls.wrap_socket(plain, server_hostname=NAME) as client,
    ):
        client.sendall(head.encode())
        answer = client.recv(1 << 16)

    # nginx, which forwards no part of a body, closes the connection.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_websocket_comes_through(front: Front, token: str) -> None:
    with connect(
        f"wss://{NAME}:{front.port}/graphql",
        address=("127.0.0.1", front.port),
        ssl=front.tls,
        proxy=None,
        subprotocols=[Subprotocol("graphql-transport-ws")],
    ) as websocket:
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        websocket.send(json.dumps(init))
        acknowledged = json.loads(websocket.recv(TIMEOUT_SECONDS))
        query = {"id": "1", "type": "subscribe", "payload": {"query": "{ me { username } }"}}
        websocket.send(json.dumps(query))

        assert acknowledged["type"] == "connection_ack"
        assert json.loads(websocket.recv(TIMEOUT_SECONDS))["payload"]["data"] == {
            "me": {"username": "Ada"}
        }
