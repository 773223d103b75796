"""GraphQL over WebSockets, by the protocol graphql-transport-ws."""

import json
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.people import REGISTER
from tests.servers import Server

TRANSPORT_WS = Subprotocol("graphql-transport-ws")


def open_socket(server: Server, **options: Any) -> ClientConnection:
    return connect(  # type: ignore[no-any-return]
        server.url.replace("http", "ws") + "/graphql", subprotocols=[TRANSPORT_WS], **options
    )


def ask(socket: ClientConnection, document: str) -> dict[str, Any]:
    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": document}}))
    message: dict[str, Any] = json.loads(socket.recv())
    assert json.loads(socket.recv())["type"] == "complete"
    payload: dict[str, Any] = message["payload"]
    return payload


def greet(socket: ClientConnection, **params: str) -> None:
    socket.send(json.dumps({"type": "connection_init", "payload": params}))
    assert json.loads(socket.recv())["type"] == "connection_ack"


@pytest.fixture
def token(server: Server) -> str:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    response = httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": ada})
    access_token: str = response.json()["data"]["register"]["accessToken"]
    return access_token


def test_the_token_may_come_with_connection_init(server: Server, token: str) -> None:
    with open_socket(server) as socket:
        greet(socket, Authorization=f"Bearer {token}")

        assert ask(socket, "{ me { username } }") == {"data": {"me": {"username": "Ada"}}}


def test_the_token_may_come_as_a_header(server: Server, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with open_socket(server, additional_headers=headers) as socket:
        greet(socket)

        assert ask(socket, "{ me { username } }") == {"data": {"me": {"username": "Ada"}}}


def test_a_socket_sees_what_has_changed_since_it_was_opened(server: Server, token: str) -> None:
    with open_socket(server) as socket:
        greet(socket, Authorization=f"Bearer {token}")
        ask(socket, "{ me { username } }")
        ask(socket, 'mutation { updateMe(input: { username: "Countess" }) { id } }')

        assert ask(socket, "{ me { username } }") == {"data": {"me": {"username": "Countess"}}}


def test_errors_are_translated_there_too(server: Server) -> None:
    with open_socket(server) as socket:
        greet(socket)
        payload = ask(socket, "{ me { username } }")

    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_another_origin_is_refused(server: Server) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        open_socket(server, origin="https://evil.example"),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_the_legacy_protocol_is_off(server: Server) -> None:
    address = server.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-ws")]) as socket:
        assert socket.subprotocol is None
