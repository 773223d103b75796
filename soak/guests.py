"""People of every kind: they use all there is, send nonsense, are slow, and leave in the middle."""

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
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from soak.visitors import PASSWORD, PUBLISH, REFRESH, UPDATE
from soak.wire import CutOff, Reply, Wire, question, request
from tests.operations import LOGIN, ME, REGISTER

TRANSPORT_WS = Subprotocol("graphql-transport-ws")
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

LEAVES_ONE_IN = 20
A_MOMENT_SECONDS = 0.01

PAGE = "{ posts(first: 100) { edges { node { id title content author { id username } } } } }"
ALL_OF_ME = """{ me { id email sessions { id device ip isCurrent }
  securityEvents(first: 20) { edges { node { kind device } } } } }"""
EDIT = "mutation ($id: ID!, $input: PostInput!) { updatePost(id: $id, input: $input) { id } }"
REMOVE = "mutation ($id: ID!) { deletePost(id: $id) }"
SIGN_OUT_ELSEWHERE = "mutation { logoutEverywhere(exceptThis: true) }"
LOGOUT = "mutation { logout }"
DELETE = "mutation ($password: String!) { deleteMe(password: $password) }"
CHANGE = """mutation ($password: String!) {
  changePassword(currentPassword: $password, newPassword: $password) { accessToken refreshToken } }"""

POST = {"title": "Of the engine", "content": "It weaves algebraic patterns. " * 20}

NONSENSE = [
    question("{"),
    question("{ nobody { knows } }"),
    question("query ($id: ID!) { user(id: $id) { id } }"),
    question(f"{{ {' '.join(f'a{n}: __typename' for n in range(500))} }}"),
    question('{ user(id: "none") { id } }'),
    question(REGISTER, username="a", email="b", password="c"),
    question(LOGIN, username="nobody.here", password="not this one"),
    question(ME, by="no.such.token"),
    request("POST", "/graphql", "{", type=JSON),
    request("POST", "/graphql", "[]", type=JSON),
    request("POST", "/graphql", '{"query": 1}', type=JSON),
    request("POST", "/graphql", "x" * 2_000_000, type=JSON),
    request("POST", "/graphql", "{}"),
    request("DELETE", "/graphql"),
    request("GET", "/graphql?query=%FF"),
    request("GET", "/userinfo"),
    request("GET", "/nowhere"),
    request("POST", "/token", "grant_type=password", type=FORM),
    request("POST", "/token", "%00=%ff&&==", type=FORM),
    request("POST", "/introspect", "token=none", type=FORM),
    b"NONSENSE\r\n\r\n",
    bytes(range(256)),
]


@dataclass
class Guest:
    """``heard`` counts what the server says: codes of GraphQL, statuses, and connections that it ended."""

    wire: Wire
    heard: Counter[str]
    username: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    posts: list[str] = field(default_factory=list)

    async def stay(self, until: asyncio.Event) -> None:
        while not until.is_set():
            do = random.choice([*[self.use] * 10, self.talk_nonsense, self.dawdle, self.call])
            try:
                await do()
            except CutOff:
                self.heard["cut off"] += 1
        self.wire.leave()

    async def use(self) -> None:
        wish = random.choice(self._wishes()) if self.tokens else self._register()
        if random.randrange(LEAVES_ONE_IN):
            self._take(await self._hear(wish))
            return
        _, writer = await self.wire.streams()
        writer.write(wish)
        await asyncio.sleep(random.expovariate(1 / A_MOMENT_SECONDS))
        self.wire.leave()
        self.tokens = {}  # whatever became of them

    async def talk_nonsense(self) -> None:
        await self._hear(random.choice(NONSENSE))

    async def dawdle(self) -> None:
        """Send slowly, and read late."""
        _, writer = await self.wire.streams()
        whole = question(PAGE)
        for start in range(0, len(whole), 50):
            writer.write(whole[start : start + 50])
            await asyncio.sleep(A_MOMENT_SECONDS)
        await asyncio.sleep(random.random())
        await self._hear(b"")

    async def call(self) -> None:
        """Over a WebSocket, which may be dropped with a question on its way."""
        url = f"{self.wire.url.replace('http', 'ws', 1)}/graphql"
        try:
            async with connect(url, subprotocols=[TRANSPORT_WS]) as socket:
                await self._talk(socket)
        except (OSError, EOFError, ConnectionClosed):
            self.heard["socket closed"] += 1

    async def _talk(self, socket: ClientConnection) -> None:
        greeting = {"Authorization": f"Bearer {self.tokens.get('accessToken', 'none')}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": greeting}))
        await socket.recv()
        for id in "123":
            payload = {"query": random.choice([ME, PAGE, "{ nonsense"])}
            await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": payload}))
            if not random.randrange(3):
                socket.transport.abort()
            await socket.recv()
        self.heard["socket heard"] += 1

    def _register(self) -> bytes:
        self.username = f"v{uuid4().hex[:16]}"
        email = f"{self.username}@example.com"
        return question(REGISTER, username=self.username, email=email, password=PASSWORD)

    def _wishes(self) -> list[bytes]:
        token, refresh_token = self.tokens["accessToken"], self.tokens["refreshToken"]
        password = {"grant_type": "password", "username": self.username, "password": PASSWORD}
        post = self.posts.pop() if self.posts else str(uuid4())
        often = [
            question(ME, by=token),
            question(ALL_OF_ME, by=token),
            question(PAGE),
            question(UPDATE, by=token, input={"imageFile": f"{uuid4().hex}.png"}),
            question(PUBLISH, by=token, input=POST),
            question(EDIT, by=token, id=post, input=POST),
            question(REFRESH, token=refresh_token),
            question(LOGIN, username=self.username, password=PASSWORD),
            request("GET", "/userinfo", by=token),
            request("GET", "/health/ready"),
            request("POST", "/introspect", urlencode({"token": token}), type=FORM, by=token),
            request("POST", "/token", urlencode(password), type=FORM),
        ]
        seldom = [
            question(REMOVE, by=token, id=post),
            question(SIGN_OUT_ELSEWHERE, by=token),
            question(CHANGE, by=token, password=PASSWORD),
            question(LOGOUT, by=token),
            question(DELETE, by=token, password=PASSWORD),
            request("POST", "/revoke", urlencode({"token": refresh_token}), type=FORM),
        ]
        return often * 2 + seldom

    async def _hear(self, sent: bytes) -> Reply:
        reply = await self.wire.send(sent)
        self.heard[str(reply.status)] += 1
        return reply

    def _take(self, reply: Reply) -> None:
        """What an answer gives to go on with, if it is one of GraphQL."""
        answer: Any = reply.json() if reply.body.startswith(b"{") else {}
        for error in answer.get("errors", []):
            self.heard[error["extensions"]["code"]] += 1
            if error["extensions"]["code"] == "UNAUTHENTICATED":
                self.tokens = {}  # signed out: someone else comes next
        for value in (answer.get("data") or {}).values():
            if isinstance(value, dict) and "refreshToken" in value:
                self.tokens = value
            elif isinstance(value, dict) and value.keys() == {"id"}:
                self.posts = [*self.posts[-10:], value["id"]]
