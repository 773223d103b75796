"""The servers that are measured, Gatehouse and its peers: how each starts and its endpoint."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PEERS_PYTHON = str(PEERS.parent / ".venv" / "bin" / "python")

# No target logs its requests.
QUIET = ("--log-level", "warning", "--no-access-log")


@dataclass(frozen=True)
class Target:
    """``is_rest`` marks a target that takes a GET request instead of a GraphQL document."""

    name: str
    command: Sequence[str]
    path: str = "/graphql"
    is_rest: bool = False

    @property
    def supports_sqlite(self) -> bool:
        """Node 20 has no built-in SQLite."""
        return self.command[0] != "node"


def uvicorn(application: str, *options: str, python: str = PEERS_PYTHON) -> list[str]:
    return [python, "-m", "uvicorn", application, *QUIET, *options]


def gatehouse(*options: str) -> Target:
    command = uvicorn("api.app:create_app", "--factory", *options, python=sys.executable)
    return Target("Gatehouse", command)


GATEHOUSE = gatehouse()
# With the command that operators use.
GATEHOUSE_SERVE = Target(
    GATEHOUSE.name, [str(Path(sys.executable).with_name("gatehouse")), "serve"]
)
NAIVE = Target("Strawberry and FastAPI, naive", uvicorn("naive:app"))
ARIADNE = Target("Ariadne", uvicorn("ariadne_app:app"), path="/")
FASTAPI_USERS = Target(
    "fastapi-users", uvicorn("fastapi_users_app:app"), path="/users/me", is_rest=True
)
YOGA = Target("graphql-yoga", ["node", "yoga.mjs"])
MERCURIUS = Target("Mercurius with JIT", ["node", "mercurius.mjs"])

# Does no work for its response, which shows how many requests the load generator can send.
CONSTANT = Target("a constant answer", [PEERS_PYTHON, "constant.py"])

ME_TARGETS = [GATEHOUSE, NAIVE, ARIADNE, FASTAPI_USERS, YOGA, MERCURIUS, CONSTANT]
