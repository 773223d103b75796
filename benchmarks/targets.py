"""Who is measured: how each is started, and where and how it is asked."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PEERS_PYTHON = str(PEERS.parent / ".venv" / "bin" / "python")

# None of them writes a line for each request.
QUIET = ("--log-level", "warning", "--no-access-log")


@dataclass(frozen=True)
class Contestant:
    """``is_rest`` is asked by a GET, and not with a document. Node has no SQLite of its own."""

    name: str
    command: Sequence[str]
    path: str = "/graphql"
    is_rest: bool = False

    @property
    def knows_sqlite(self) -> bool:
        return self.command[0] != "node"


def uvicorn(application: str, *options: str, python: str = PEERS_PYTHON) -> list[str]:
    return [python, "-m", "uvicorn", application, *QUIET, *options]


def gatehouse(*options: str) -> Contestant:
    command = uvicorn("api.app:create_app", "--factory", *options, python=sys.executable)
    return Contestant("Gatehouse", command)


GATEHOUSE = gatehouse()
# As a person starts it.
GATEHOUSE_SERVE = Contestant(
    GATEHOUSE.name, [str(Path(sys.executable).with_name("gatehouse")), "serve"]
)
NAIVE = Contestant("Strawberry and FastAPI, naive", uvicorn("naive:app"))
ARIADNE = Contestant("Ariadne", uvicorn("ariadne_app:app"), path="/")
FASTAPI_USERS = Contestant(
    "fastapi-users", uvicorn("fastapi_users_app:app"), path="/users/me", is_rest=True
)
YOGA = Contestant("graphql-yoga", ["node", "yoga.mjs"])
MERCURIUS = Contestant("Mercurius with JIT", ["node", "mercurius.mjs"])

# Answers without looking: what the load tool can ask for at the most.
CONSTANT = Contestant("a constant answer", [PEERS_PYTHON, "constant.py"])

ASKED_FOR_ME = [GATEHOUSE, NAIVE, ARIADNE, FASTAPI_USERS, YOGA, MERCURIUS, CONSTANT]
