"""Thousands of sockets that wait: what they take, and how soon they learn what happens."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from domain.subscriptions import MAX_CONNECTIONS_PER_SESSION
from soak.figures import Figures
from soak.resource_usage import cpu_seconds, resource_usage
from soak.server_settings import SECRET_KEY
from tests.operations import LOGIN, REGISTER
from tests.servers import TIMEOUT_SECONDS, running_server

FIRST_IP = int(IPv4Address("10.0.0.1"))

SESSIONS_PER_USER = 10
IDLE_SECONDS = 15
OPENED_AT_ONCE = 50

# Sessions are ended one after the other, in the middle of all the others.
ENDED = 50

MAX_KIB_PER_SOCKET = 120
MAX_IDLE_PERCENT = 25
USUAL_SECONDS_TO_THE_END = 2.0
MAX_SECONDS_TO_THE_END = 5.0

SUBSCRIPTION = "subscription { securityEvents { kind sessionId } }"
PASSWORD = "analytical engine"


@dataclass
class Waiting:
    """A socket with a subscription, and when it was told what."""

    socket: ClientConnection
    session_id: str
    events: dict[str, float] = field(default_factory=dict)
    code: int | None = None
    closed_at: float = 0

    async def listen(self) -> None:
        try:
            async for message in self.socket:
                data = (json.loads(message).get("payload") or {}) if message else {}
                if isinstance(data, dict) and data.get("data"):
                    self.events[data["data"]["securityEvents"]["sessionId"]] = time.monotonic()
        except ConnectionClosed:
            pass
        self.code, self.closed_at = self.socket.close_code, time.monotonic()


@dataclass(frozen=True)
class Session:
    id: str
    token: str


async def waiting_sockets(database_url: str, folder: Path, *, number: int, port: int) -> Figures:
    figures = Figures()
    # Each socket comes from a network of its own, as a proxy forwards it.
    limits = {"MAX_WEBSOCKETS": str(number), "TRUSTED_PROXIES": "127.0.0.1"}
    with running_server(database_url, SECRET_KEY, folder, PORT=str(port), **limits) as server:
        pid = server.process.pid
        async with httpx.AsyncClient(base_url=server.url, timeout=TIMEOUT_SECONDS) as client:
            sessions = await _log_in(client, number // MAX_CONNECTIONS_PER_SESSION)
            before = resource_usage(pid).memory_mib
            async with AsyncExitStack() as stack:
                sockets = await _open(stack, server.url, sessions)
                listening = [asyncio.create_task(one.listen()) for one in sockets]
                memory = resource_usage(pid).memory_mib - before
                began = cpu_seconds(pid)
                await asyncio.sleep(IDLE_SECONDS)
                busy = (cpu_seconds(pid) - began) / IDLE_SECONDS
                seconds = await _end_sessions(client, sessions, sockets)
                told = _delivery(sockets, seconds)
                for one in sockets:
                    await one.socket.close()
                await asyncio.gather(*listening)
        log = server.logged()
    ends = sorted(_ends(sockets, seconds))
    figures.record("sockets, each with a subscription", len(sockets))
    figures.record("sessions", len(sessions))
    figures.at_most("memory for a socket (KiB)", memory * 1024 / len(sockets), MAX_KIB_PER_SOCKET)
    figures.at_most("processor while nothing happens (%)", busy * 100, MAX_IDLE_PERCENT)
    figures.record("from an event to a socket, median (s)", median(told))
    figures.record("from an event to a socket, slowest (s)", max(told))
    figures.at_most("from the end to the close, median (s)", median(ends), USUAL_SECONDS_TO_THE_END)
    figures.at_most("from the end to the close, slowest (s)", ends[-1], MAX_SECONDS_TO_THE_END)
    figures.none("sockets of ended sessions without 4401", _wrong_codes(sockets, seconds))
    figures.none("tracebacks in the log", log.count("Traceback"))
    return figures


async def _log_in(client: httpx.AsyncClient, number: int) -> list[Session]:
    sessions: list[Session] = []
    for first in range(0, number, SESSIONS_PER_USER):
        name = f"user{first}"
        variables = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        await _execute(client, REGISTER, variables)
        for _ in range(min(SESSIONS_PER_USER, number - first)):
            answer = await _execute(client, LOGIN, {"username": name, "password": PASSWORD})
            token = answer["login"]["accessToken"]
            mine = await _execute(client, "{ me { sessions { id isCurrent } } }", token=token)
            [id] = [one["id"] for one in mine["me"]["sessions"] if one["isCurrent"]]
            sessions.append(Session(id, token))
    return sessions


async def _execute(
    client: httpx.AsyncClient, query: str, variables: object = None, *, token: str = ""
) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": variables}
    answer = (await client.post("/graphql", json=body, headers=headers)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def _open(stack: AsyncExitStack, url: str, sessions: Sequence[Session]) -> list[Waiting]:
    at_once = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one(place: int, session: Session) -> Waiting:
        async with at_once:
            socket = await stack.enter_async_context(
                connect(
                    url.replace("http", "ws") + "/graphql",
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    additional_headers={"X-Forwarded-For": str(IPv4Address(FIRST_IP + place))},
                    compression=None,
                    ping_interval=None,
                    open_timeout=TIMEOUT_SECONDS,
                )
            )
            payload = {"Authorization": f"Bearer {session.token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            await socket.recv()
            asked = {"id": "1", "type": "subscribe", "payload": {"query": SUBSCRIPTION}}
            await socket.send(json.dumps(asked))
            # Until the answer, the subscription has begun.
            await socket.send(json.dumps({"type": "ping"}))
            await socket.recv()
            return Waiting(socket, session.id)

    each = [session for session in sessions for _ in range(MAX_CONNECTIONS_PER_SESSION)]
    return await asyncio.gather(*(open_one(*one) for one in enumerate(each)))


async def _end_sessions(
    client: httpx.AsyncClient, sessions: Sequence[Session], sockets: Sequence[Waiting]
) -> dict[str, float]:
    """End some sessions by their own tokens, and return when each was ended."""
    ended: dict[str, float] = {}
    step = max(1, len(sessions) // ENDED)
    for session in sessions[::step]:
        await _execute(client, "mutation { logout }", token=session.token)
        ended[session.id] = time.monotonic()
    deadline = time.monotonic() + MAX_SECONDS_TO_THE_END * 2
    while any(one.session_id in ended and one.code is None for one in sockets):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    return ended


def _ends(sockets: Sequence[Waiting], ended: dict[str, float]) -> list[float]:
    return [
        (one.closed_at or float("inf")) - ended[one.session_id]
        for one in sockets
        if one.session_id in ended
    ]


def _delivery(sockets: Sequence[Waiting], ended: dict[str, float]) -> list[float]:
    """Return how long after each end the other sockets of the user were told of it."""
    return [
        at - ended[session_id]
        for one in sockets
        for session_id, at in one.events.items()
        if session_id in ended
    ]


def _wrong_codes(sockets: Sequence[Waiting], ended: dict[str, float]) -> list[int | None]:
    return [one.code for one in sockets if one.session_id in ended and one.code != 4401]
