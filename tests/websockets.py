"""GraphQL over a WebSocket, by the protocol graphql-transport-ws."""

import json
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.servers import Server

TRANSPORT_WS = Subprotocol("graphql-transport-ws")


def open_socket(server: Server, **options: Any) -> ClientConnection:
    return connect(  # type: ignore[no-any-return]
        server.url.replace("http", "ws") + "/graphql", subprotocols=[TRANSPORT_WS], **options
    )


def initialize(socket: ClientConnection, **params: str) -> None:
    """Send `connection_init` with these parameters, and wait for the server's acknowledgement."""
    socket.send(json.dumps({"type": "connection_init", "payload": params}))
    assert json.loads(socket.recv())["type"] == "connection_ack"


def execute(socket: ClientConnection, document: str) -> dict[str, Any]:
    """Return the one result of an operation."""
    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": document}}))
    message: dict[str, Any] = json.loads(socket.recv())
    assert json.loads(socket.recv())["type"] == "complete"
    payload: dict[str, Any] = message["payload"]
    return payload
