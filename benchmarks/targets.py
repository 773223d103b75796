"""The servers that are measured, Gatehouse and its peers: how each starts and its endpoint.

Each is started as its documentation starts it in production, with a log as by its defaults.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PEERS_PYTHON = str(PEERS.parent / ".venv" / "bin" / "python")
BUN = str(PEERS / "node_modules" / ".bin" / "bun")


@dataclass(frozen=True)
class Target:
    """``is_rest`` marks a target that takes a GET request instead of a GraphQL document."""

    name: str
    command: Sequence[str]
    path: str = "/graphql"
    is_rest: bool = False
    supports_sqlite: bool = True


def _uvicorn(application: str) -> list[str]:
    return [PEERS_PYTHON, "-m", "uvicorn", application]


GATEHOUSE = Target("Gatehouse", [str(Path(sys.executable).with_name("gatehouse")), "serve"])
NAIVE = Target("Strawberry and FastAPI, naive", _uvicorn("naive:app"))
ARIADNE = Target("Ariadne", _uvicorn("ariadne_app:app"), path="/")
FASTAPI_USERS = Target(
    "fastapi-users", _uvicorn("fastapi_users_app:app"), path="/users/me", is_rest=True
)
# Node 20 has no built-in SQLite, and the SQL of the peer on Bun is PostgreSQL's too.
YOGA = Target("graphql-yoga", ["node", "yoga.mjs"], supports_sqlite=False)
MERCURIUS = Target("Mercurius with JIT", ["node", "mercurius.mjs"], supports_sqlite=False)
BUN_JIT = Target("graphql-jit on Bun", [BUN, "bun.mjs"], supports_sqlite=False)

ME_PEERS = (NAIVE, ARIADNE, FASTAPI_USERS, YOGA, MERCURIUS, BUN_JIT)
