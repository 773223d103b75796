"""Subscriptions over a WebSocket and over server-sent events."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import MappingProxyType
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.operations import LOGIN, REGISTER
from tests.servers import TIMEOUT_SECONDS, Server
from tests.websockets import initialize, open_socket, subscribe

EVENTS = "subscription { securityEvents { kind sessionId device } }"
PASSWORD = "analytical engine"
ME = "subscription { me { username imageFile } }"


@contextmanager
def subscribed(
    server: Server | str, token: str, *documents: str, **options: Any
) -> Iterator[ClientConnection]:
    """Open a socket that has subscribed to each of the documents, with the ids 1, 2 and so on."""
    with open_socket(server, **options) as socket:
        initialize(socket, Authorization=f"Bearer {token}")
        for number, document in enumerate(documents, 1):
            subscribe(socket, document, id=str(number))
        yield socket


def next_message(socket: ClientConnection, *, within: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """Return the next message. Raises TimeoutError if there is none in time."""
    message: dict[str, Any] = json.loads(socket.recv(within))
    return message


def next_data(socket: ClientConnection) -> Any:
    """Return the data of the next message, which has no errors."""
    message = next_message(socket)
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"]


def rest_of(socket: ClientConnection) -> tuple[list[dict[str, Any]], int | None]:
    """Return what the server sends until it closes the socket, and the code of the close."""
    messages: list[dict[str, Any]] = []
    try:
        while True:
            messages.append(next_message(socket))
    except ConnectionClosed as closed:
        return messages, closed.rcvd.code if closed.rcvd else None


def execute_at(url: str, document: str, *, token: str = "", **variables: str) -> Any:
    """Return the data of an operation over HTTP."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables}
    return httpx.post(f"{url}/graphql", json=body, headers=headers).json()["data"]


def register(url: str) -> str:
    """Register Ada, and return her access token."""
    ada = {"username": "Ada", "email": "ada@example.com", "password": PASSWORD}
    token: str = execute_at(url, REGISTER, **ada)["register"]["accessToken"]
    return token


def log_in(url: str) -> str:
    """Return the access token of another session of Ada."""
    answer = execute_at(url, LOGIN, username="Ada", password=PASSWORD)
    token: str = answer["login"]["accessToken"]
    return token


@contextmanager
def event_stream(
    server: Server | str,
    token: str | None,
    document: str,
    *,
    client: httpx.Client | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[httpx.Response]:
    """Open the response of an operation as server-sent events, over a connection of a ``client``
    or of its own."""
    url = server if isinstance(server, str) else server.url
    sent = {"Accept": "text/event-stream", **headers}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    body = {"query": document}
    with (
        nullcontext(client) if client else httpx.Client(timeout=TIMEOUT_SECONDS) as sender,
        sender.stream("POST", f"{url}/graphql", json=body, headers=sent) as response,
    ):
        yield response


def events_in(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Yield the name and the data of each event, without comments."""
    name = ""
    for line in response.iter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            yield name, json.loads(value) if value.strip() else None
