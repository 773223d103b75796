"""Clients that record every acknowledged write, and what their requests came to."""

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from soak.raw_client import Disconnected, RawClient, http_request
from tests.operations import LOGIN, ME, REGISTER
from tests.users import Answer

CLIENTS = 16
REGISTERED_AT_A_TIME = 8

UPDATE = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { imageFile } }"
REFRESH = (
    "mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }"
)
PUBLISH = "mutation ($input: PostInput!) { createPost(input: $input) { id } }"
PASSWORD = "analytical engine"

# The outcomes of a request. Any other is the code of a GraphQL error, or an HTTP status.
OK = "ok"
DISCONNECTED = "disconnected"
UNAVAILABLE = ("UNAVAILABLE", "503")


@dataclass
class Outcomes:
    """The number of requests by outcome, the slowest one, and reads of values never written.

    ``last_error`` is the time.monotonic() of the last outcome that was not OK.
    """

    counts: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    unexpected_reads: list[str] = field(default_factory=list)
    last_error: float = 0.0

    def count(self, outcome: str, began: float) -> None:
        now = time.monotonic()
        self.counts[outcome] += 1
        self.slowest_seconds = max(self.slowest_seconds, now - began)
        if outcome != OK:
            self.last_error = now

    async def record(self, request: Awaitable[str]) -> str:
        """Wait for the outcome of a request, count it and return it. Back off after any but OK, as
        clients do."""
        began = time.monotonic()
        try:
            outcome = await request
        except Disconnected:
            outcome = DISCONNECTED
        self.count(outcome, began)
        if outcome != OK:
            await asyncio.sleep(0.05)
        return outcome

    def total(self, *outcomes: str) -> int:
        return sum(self.counts[outcome] for outcome in outcomes)

    def other_than(self, *expected: str) -> dict[str, int]:
        return {outcome: n for outcome, n in self.counts.items() if outcome not in expected}


@dataclass
class AuditedClient:
    """A client that sends valid requests only and records every write that was acknowledged.

    After the scenario, `invariants.check` compares the record with the database. RawClient keeps
    no record. ChaosClient sends malformed and aborted requests too, and records no writes.

    ``images`` has the last acknowledged picture, then those whose update got no response: the
    database may hold any of them.
    """

    raw: RawClient
    username: str = ""
    id: UUID | None = None
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    images: list[str | None] = field(default_factory=lambda: [None])
    posts: set[UUID] = field(default_factory=set)

    async def run(self, outcomes: Outcomes, until: asyncio.Event) -> None:
        """Send random requests until the event is set."""
        while not until.is_set():
            await outcomes.record(self._send_one(outcomes))

    async def register(self) -> str:
        # A new name for each attempt: one without a response may have taken the last name.
        self.username = f"v{uuid4().hex[:16]}"
        answer = await self.raw.execute(
            REGISTER,
            username=self.username,
            email=f"{self.username}@example.com",
            password=PASSWORD,
        )
        if not answer.errors:
            token = answer.data["register"]
            self.id = UUID(token["user"]["id"])
            self.access_token = token["accessToken"]
            self.refresh_token = token["refreshToken"]
        return _outcome(answer)

    async def refresh(self) -> str:
        answer = await self.raw.execute(REFRESH, token=self.refresh_token)
        if not answer.errors:
            self.access_token = answer.data["refresh"]["accessToken"]
            self.refresh_token = answer.data["refresh"]["refreshToken"]
        return _outcome(answer)

    async def publish(self) -> str:
        post = {"title": "Of the engine", "content": "It weaves algebraic patterns."}
        answer = await self.raw.execute(PUBLISH, by=self.access_token, input=post)
        if not answer.errors:
            self.posts.add(UUID(answer.data["createPost"]["id"]))
        return _outcome(answer)

    async def _send_one(self, outcomes: Outcomes) -> str:
        if self.id is None:
            return await self.register()
        requests: list[Callable[[], Awaitable[str]]] = [
            self.refresh,
            self.publish,
            self._update,
            self._read_userinfo,
            lambda: self._read_me(outcomes),
        ]
        return await random.choice(requests)()

    async def _update(self) -> str:
        image = f"{uuid4().hex}.png"
        self.images.append(image)
        answer = await self.raw.execute(UPDATE, by=self.access_token, input={"imageFile": image})
        if not answer.errors:
            self.images = [image]
        return _outcome(answer)

    async def _read_me(self, outcomes: Outcomes) -> str:
        answer = await self.raw.execute(ME, by=self.access_token)
        if not answer.errors:
            me = answer.data["me"]
            if me["username"] != self.username or me["imageFile"] not in self.images:
                outcomes.unexpected_reads.append(f"{me['imageFile']}, not one of {self.images}")
        return _outcome(answer)

    async def _read_userinfo(self) -> str:
        response = await self.raw.send(http_request("GET", "/userinfo", by=self.access_token))
        return OK if response.status == 200 else str(response.status)


@contextmanager
def audited_clients(
    url: str, number: int, *, tls: ssl.SSLContext | None = None
) -> Iterator[list[AuditedClient]]:
    """Yield clients. Those with TLS have an address each: a proxy limits what one may do."""
    sources = [f"127.0.1.{place + 1}" if tls else None for place in range(number)]
    clients = [AuditedClient(RawClient(url, source=source, tls=tls)) for source in sources]
    try:
        yield clients
    finally:
        disconnect(clients)


@asynccontextmanager
async def running_clients(
    url: str, outcomes: Outcomes, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[list[AuditedClient]]:
    """Run CLIENTS clients until the block ends."""
    ended = asyncio.Event()
    with audited_clients(url, CLIENTS, tls=tls) as clients:
        running = [asyncio.create_task(client.run(outcomes, ended)) for client in clients]
        try:
            yield clients
        finally:
            ended.set()
            await asyncio.gather(*running)


async def register_all(clients: Sequence[AuditedClient]) -> None:
    """Register a few at a time, as the hashing queue is bounded."""
    for first in range(0, len(clients), REGISTERED_AT_A_TIME):
        some = clients[first : first + REGISTERED_AT_A_TIME]
        assert {*await asyncio.gather(*(client.register() for client in some))} == {OK}


async def lost_sessions(clients: Sequence[AuditedClient]) -> list[str]:
    """Refresh the session of each registered client, and return the outcomes that are not OK."""
    registered = [client for client in clients if client.id]
    outcomes = await asyncio.gather(*(client.refresh() for client in registered))
    disconnect(clients)
    return [outcome for outcome in outcomes if outcome != OK]


async def log_in(client: RawClient, username: str) -> str:
    return _outcome(await client.execute(LOGIN, username=username, password=PASSWORD))


def disconnect(clients: Iterable[AuditedClient]) -> None:
    for client in clients:
        client.raw.abort()


def _outcome(answer: Answer) -> str:
    return answer.code if answer.errors else OK
