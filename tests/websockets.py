"""GraphQL over a WebSocket, by the protocol graphql-transport-ws."""

import json
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.servers import TIMEOUT_SECONDS, Server

TRANSPORT_WS = Subprotocol("graphql-transport-ws")


def open_socket(server: Server | str, **options: Any) -> ClientConnection:
    """Open a WebSocket to a server or its URL."""
    url = server if isinstance(server, str) else server.url
    return connect(  # type: ignore[no-any-return]
        url.replace("http", "ws") + "/graphql", subprotocols=[TRANSPORT_WS], **options
    )


def frame(data: str | bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return a client's frame as bytes, to send several at once or in parts."""
    payload = data.encode() if isinstance(data, str) else data
    return Frame(opcode, payload, fin).serialize(mask=True)


def send_raw(socket: ClientConnection, *frames: bytes) -> None:
    """Send bytes in one go. The server may close the socket meanwhile."""
    with suppress(OSError):
        socket.socket.sendall(b"".join(frames))


def code_of_close(socket: ClientConnection) -> int | None:
    """Read until the server closes the socket, and return its code, or None for a lost
    connection."""
    try:
        while True:
            socket.recv(TIMEOUT_SECONDS)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def initialize(socket: ClientConnection, **params: str) -> None:
    """Send `connection_init` with these parameters, and wait for the server's acknowledgement."""
    socket.send(json.dumps({"type": "connection_init", "payload": params}))
    assert json.loads(socket.recv(TIMEOUT_SECONDS))["type"] == "connection_ack"


def subscribe(socket: ClientConnection, document: str, *, id: str = "1") -> None:
    """Send an operation."""
    socket.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": document}}))


def error_of(socket: ClientConnection, *, id: str = "1") -> str:
    """Return the code of the one error that an operation was refused with."""
    message = json.loads(socket.recv(TIMEOUT_SECONDS))
    assert (message["type"], message["id"]) == ("error", id)
    [error] = message["payload"]
    code: str = error["extensions"]["code"]
    return code


def execute(socket: ClientConnection, document: str) -> dict[str, Any]:
    """Return the one result of an operation."""
    subscribe(socket, document)
    message: dict[str, Any] = json.loads(socket.recv(TIMEOUT_SECONDS))
    assert json.loads(socket.recv(TIMEOUT_SECONDS))["type"] == "complete"
    payload: dict[str, Any] = message["payload"]
    return payload
