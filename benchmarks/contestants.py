"""Who is measured: how each is started, and how each is asked the same."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PEERS_PYTHON = str(PEERS.parent / ".venv" / "bin" / "python")

# None of them writes a line for each request.
QUIET = ("--log-level", "warning", "--no-access-log")

ME = '{"query":"{ me { id username email } }"}'


@dataclass(frozen=True)
class Contestant:
    name: str
    command: Sequence[str]
    path: str = "/graphql"
    body: str = ME
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"


def uvicorn(application: str, python: str = PEERS_PYTHON) -> list[str]:
    return [python, "-m", "uvicorn", application, *QUIET]


ME_CONTESTANTS = [
    Contestant("Gatehouse", [*uvicorn("api.app:create_app", sys.executable), "--factory"]),
    Contestant("Strawberry and FastAPI, naive", uvicorn("naive:app")),
    Contestant("Ariadne", uvicorn("ariadne_app:app"), path="/"),
    Contestant("fastapi-users", uvicorn("fastapi_users_app:app"), path="/users/me", body=""),
    Contestant("graphql-yoga", ["node", "yoga.mjs"]),
    Contestant("Mercurius with JIT", ["node", "mercurius.mjs"]),
]
