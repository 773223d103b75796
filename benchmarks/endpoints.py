"""The REST routes and `refresh`, beside `me`, `login` and the peers that have something alike."""

from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import urlencode

import httpx

from benchmarks.measurement import Figures, measure
from benchmarks.operations import LOGIN, ME, REFRESH, START_SESSION, body
from benchmarks.placements import OTHER_CORE, SAME_CORE
from benchmarks.seeded_database import PASSWORD, USERS, Databases, SeededDatabase
from benchmarks.servers import BASE_URL, Server, serving
from benchmarks.targets import FASTAPI_USERS, GATEHOUSE, MERCURIUS
from benchmarks.wrk import Request

ENDPOINT_KINDS = (OTHER_CORE, SAME_CORE)
CONNECTIONS = 16

LOGINS = [body(LOGIN, username=f"user.{n}", password=PASSWORD) for n in range(USERS)]

# A session stores each refresh of the grace period. This benchmark refreshes a session more than
# once a second, where a client does so about twice an hour.
SETTINGS = {"REFRESH_GRACE_SECONDS": "0"}


def endpoints(databases: Databases) -> dict[str, object]:
    """Return the figures by kind of database, target and operation."""
    return {
        kind: {
            GATEHOUSE.name: _gatehouse(databases[kind]),
            FASTAPI_USERS.name: _fastapi_users(databases[kind]),
            MERCURIUS.name: _mercurius(databases[kind]),
        }
        for kind in ENDPOINT_KINDS
    }


def _gatehouse(database: SeededDatabase) -> dict[str, Figures]:
    introspections = [Request(f"token={token}", token) for token in database.tokens]
    with serving(GATEHOUSE, database.url, **SETTINGS) as server:
        load = _Load(server, database)
        return {
            "me": load("/graphql", database.requests(body(ME)), '@example.com"'),
            "userinfo": load("/userinfo", database.requests(""), '"preferred_username"'),
            "introspect": load("/introspect", introspections, '"active":true'),
            "login": load("/graphql", [Request(each) for each in LOGINS], '"accessToken"'),
            "token": load("/token", _forms("user.{}", grant_type="password"), '"access_token"'),
            "refresh": load.refreshing(list(_log_in())),
        }


def _fastapi_users(database: SeededDatabase) -> dict[str, Figures]:
    with serving(FASTAPI_USERS, database.url) as server:
        load = _Load(server, database)
        return {
            "userinfo": load("/users/me", database.requests(""), '"email"'),
            "token": load("/login", _forms("user{}@example.com"), '"access_token"'),
        }


def _mercurius(database: SeededDatabase) -> dict[str, Figures]:
    with serving(MERCURIUS, database.url) as server:
        load = _Load(server, database)
        return {
            "me": load("/graphql", database.requests(body(ME)), '@example.com"'),
            "refresh": load.refreshing(list(_start_sessions(database))),
        }


class _Load:
    """Loads one server over the same number of connections, after a warm-up."""

    def __init__(self, server: Server, database: SeededDatabase) -> None:
        self._measure = partial(measure, server, database.postgres, connections=CONNECTIONS)

    def __call__(self, path: str, requests: Sequence[Request], expected: str) -> Figures:
        self._measure(path, requests, expected=expected, seconds=1)
        return self._measure(path, requests, expected=expected)

    def refreshing(self, tokens: Sequence[str]) -> Figures:
        """Refresh with each token's successors.

        The warm-up has sessions of its own: its last responses are lost, and with them the
        successors.
        """
        requests = [Request(body(REFRESH, token=token)) for token in tokens]
        load = partial(self._measure, "/graphql", expected='"refreshToken"', chain=True)
        load(requests=requests[:CONNECTIONS], seconds=1)
        return load(requests=requests[CONNECTIONS:])


def _forms(username: str, **fields: str) -> list[Request]:
    return [
        Request(urlencode({"username": username.format(n), "password": PASSWORD, **fields}))
        for n in range(USERS)
    ]


def _log_in() -> Iterator[str]:
    """Yield the refresh token of a new session of each user."""
    with httpx.Client(base_url=BASE_URL, headers={"Content-Type": "application/json"}) as client:
        for login in LOGINS:
            yield client.post("/graphql", content=login).json()["data"]["login"]["refreshToken"]


def _start_sessions(database: SeededDatabase) -> Iterator[str]:
    """Yield the refresh token of a new session of each user, in the tables of Mercurius."""
    with httpx.Client(base_url=BASE_URL, headers={"Content-Type": "application/json"}) as client:
        for request in database.requests(body(START_SESSION)):
            headers = {"Authorization": f"Bearer {request.token}"}
            response = client.post("/graphql", content=request.body, headers=headers)
            yield response.json()["data"]["startSession"]["refreshToken"]
