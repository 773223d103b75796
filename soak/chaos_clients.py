"""Clients that send every kind of request: valid, malformed, slow, aborted and over WebSockets."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from soak.audited_clients import DISCONNECTED, PASSWORD, PUBLISH, REFRESH, UPDATE
from soak.raw_client import Disconnected, RawClient, RawResponse, graphql_request, http_request
from tests.operations import LOGIN, ME, REGISTER

TRANSPORT_WS = Subprotocol("graphql-transport-ws")
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

ABORTS_ONE_IN = 20
SHORT_DELAY_SECONDS = 0.01

PAGE = "{ posts(first: 100) { edges { node { id title content author { id username } } } } }"
ALL_OF_ME = """{ me { id email sessions { id device ip isCurrent }
  securityEvents(first: 20) { edges { node { kind device } } } } }"""
EDIT = "mutation ($id: ID!, $input: PostInput!) { updatePost(id: $id, input: $input) { id } }"
REMOVE = "mutation ($id: ID!) { deletePost(id: $id) }"
LOGOUT_ELSEWHERE = "mutation { logoutEverywhere(exceptThis: true) }"
LOGOUT = "mutation { logout }"
DELETE = "mutation ($password: String!) { deleteMe(password: $password) }"
CHANGE = """mutation ($password: String!) {
  changePassword(currentPassword: $password, newPassword: $password) { accessToken refreshToken } }"""

POST = {"title": "Of the engine", "content": "It weaves algebraic patterns. " * 20}

MALFORMED = [
    graphql_request("{"),
    graphql_request("{ unknown { field } }"),
    graphql_request("query ($id: ID!) { user(id: $id) { id } }"),
    graphql_request(f"{{ {' '.join(f'a{n}: __typename' for n in range(500))} }}"),
    graphql_request('{ user(id: "none") { id } }'),
    graphql_request(REGISTER, username="a", email="b", password="c"),
    graphql_request(LOGIN, username="unknown.user", password="not this one"),
    graphql_request(ME, by="no.such.token"),
    http_request("POST", "/graphql", "{", type=JSON),
    http_request("POST", "/graphql", "[]", type=JSON),
    http_request("POST", "/graphql", '{"query": 1}', type=JSON),
    http_request("POST", "/graphql", "x" * 2_000_000, type=JSON),
    http_request("POST", "/graphql", "{}"),
    http_request("DELETE", "/graphql"),
    http_request("GET", "/graphql?query=%FF"),
    http_request("GET", "/userinfo"),
    http_request("GET", "/nowhere"),
    http_request("POST", "/token", "grant_type=password", type=FORM),
    http_request("POST", "/token", "%00=%ff&&==", type=FORM),
    http_request("POST", "/introspect", "token=none", type=FORM),
    b"NONSENSE\r\n\r\n",
    bytes(range(256)),
]


@dataclass
class ChaosClient:
    """A client that sends a random mix of valid, malformed, slow, aborted and WebSocket traffic.

    It keeps only the tokens and posts that its next requests need, and counts the responses.
    AuditedClient sends valid requests only and records its writes. RawClient sends single requests
    and chooses none itself.

    ``responses`` counts HTTP statuses, GraphQL error codes and ended connections.
    """

    raw: RawClient
    responses: Counter[str]
    username: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    posts: list[str] = field(default_factory=list)

    async def run(self, until: asyncio.Event) -> None:
        """Send random traffic until the event is set."""
        traffic = [
            *[self._send_valid] * 10,
            self._send_malformed,
            self._send_slowly,
            self._use_websocket,
        ]
        while not until.is_set():
            try:
                await random.choice(traffic)()
            except Disconnected:
                self.responses[DISCONNECTED] += 1
        self.raw.abort()

    async def _send_valid(self) -> None:
        """Send a valid request, and abort one in ABORTS_ONE_IN before its response."""
        request = random.choice(self._valid_requests()) if self.tokens else self._registration()
        if random.randrange(ABORTS_ONE_IN):
            self._keep_for_later(await self._send(request))
            return
        _, writer = await self.raw.connect()
        writer.write(request)
        await asyncio.sleep(random.expovariate(1 / SHORT_DELAY_SECONDS))
        self.raw.abort()
        self.tokens = {}  # the aborted request may have replaced or ended them

    async def _send_malformed(self) -> None:
        await self._send(random.choice(MALFORMED))

    async def _send_slowly(self) -> None:
        """Send a request in small pieces, and read the response late."""
        _, writer = await self.raw.connect()
        request = graphql_request(PAGE)
        for start in range(0, len(request), 50):
            writer.write(request[start : start + 50])
            await asyncio.sleep(SHORT_DELAY_SECONDS)
        await asyncio.sleep(random.random())
        await self._send(b"")

    async def _use_websocket(self) -> None:
        url = f"{self.raw.url.replace('http', 'ws', 1)}/graphql"
        try:
            async with connect(url, subprotocols=[TRANSPORT_WS]) as socket:
                await self._subscribe(socket)
        except (OSError, EOFError, ConnectionClosed, InvalidHandshake):
            # Also if too many are open.
            self.responses["WebSocket closed"] += 1

    async def _subscribe(self, socket: ClientConnection) -> None:
        """Run three operations, and abort the connection before one in three responses."""
        payload = {"Authorization": f"Bearer {self.tokens.get('accessToken', 'none')}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        await socket.recv()
        for id in "123":
            payload = {"query": random.choice([ME, PAGE, "{ nonsense"])}
            await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": payload}))
            if not random.randrange(3):
                socket.transport.abort()
            await socket.recv()
        self.responses["WebSocket completed"] += 1

    def _registration(self) -> bytes:
        self.username = f"v{uuid4().hex[:16]}"
        email = f"{self.username}@example.com"
        return graphql_request(REGISTER, username=self.username, email=email, password=PASSWORD)

    def _valid_requests(self) -> list[bytes]:
        token, refresh_token = self.tokens["accessToken"], self.tokens["refreshToken"]
        password = {"grant_type": "password", "username": self.username, "password": PASSWORD}
        post = self.posts.pop() if self.posts else str(uuid4())
        frequent = [
            graphql_request(ME, by=token),
            graphql_request(ALL_OF_ME, by=token),
            graphql_request(PAGE),
            graphql_request(UPDATE, by=token, input={"imageFile": f"{uuid4().hex}.png"}),
            graphql_request(PUBLISH, by=token, input=POST),
            graphql_request(EDIT, by=token, id=post, input=POST),
            graphql_request(REFRESH, token=refresh_token),
            graphql_request(LOGIN, username=self.username, password=PASSWORD),
            http_request("GET", "/userinfo", by=token),
            http_request("GET", "/health/ready"),
            http_request("POST", "/introspect", urlencode({"token": token}), type=FORM, by=token),
            http_request("POST", "/token", urlencode(password), type=FORM),
        ]
        rare = [
            graphql_request(REMOVE, by=token, id=post),
            graphql_request(LOGOUT_ELSEWHERE, by=token),
            graphql_request(CHANGE, by=token, password=PASSWORD),
            graphql_request(LOGOUT, by=token),
            graphql_request(DELETE, by=token, password=PASSWORD),
            http_request("POST", "/revoke", urlencode({"token": refresh_token}), type=FORM),
        ]
        return frequent * 2 + rare

    async def _send(self, request: bytes) -> RawResponse:
        response = await self.raw.send(request)
        self.responses[str(response.status)] += 1
        return response

    def _keep_for_later(self, response: RawResponse) -> None:
        """Count the errors of a GraphQL response, and keep its tokens and post ids."""
        answer: Any = response.json() if response.body.startswith(b"{") else {}
        for error in answer.get("errors", []):
            self.responses[error["extensions"]["code"]] += 1
            if error["extensions"]["code"] == "UNAUTHENTICATED":
                self.tokens = {}  # signed out: register a new user next
        for value in (answer.get("data") or {}).values():
            if isinstance(value, dict) and "refreshToken" in value:
                self.tokens = value
            elif isinstance(value, dict) and value.keys() == {"id"}:
                self.posts = [*self.posts[-10:], value["id"]]
