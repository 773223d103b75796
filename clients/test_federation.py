"""Gatehouse as a subgraph: two composers compose it with another one, and the gateway of
``docs/how-to/federation.md`` serves both."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.operations import REGISTER
from tests.paths import ROOT
from tests.servers import (
    TIMEOUT_SECONDS,
    Server,
    environment,
    free_port,
    running_server,
    wait_until,
    wait_until_it_listens,
)
from tests.users import UNKNOWN_ID

FOLDER = Path(__file__).parent / "federation"
HOW_TO = ROOT / "docs" / "how-to" / "federation.md"


@dataclass(frozen=True)
class Graph:
    """The gateway, and the server of Gatehouse behind it, with a user who has written a review."""

    url: str
    accounts: Server
    token: str

    def execute(self, document: str, token: str = "") -> dict[str, Any]:
        return execute(self.url, document, token)

    def requests_for_entities(self) -> int:
        """Return how many requests for entities Gatehouse has logged."""
        return self.accounts.logged().count("_entities")


def execute(url: str, document: str, token: str = "", **variables: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables}
    answer = httpx.post(url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def program(path: Path, folder: Path, **variables: str) -> Iterator[str]:
    """Run a program that serves GraphQL, and yield its address."""
    port, log_file = free_port(), folder / f"{path.stem}.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            ["node", path],
            env=environment(PORT=str(port), **variables),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_listens(port, process, log_file)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def documented_gateway() -> Path:
    """Write the gateway of the how-to beside the packages that it imports."""
    [text] = re.findall(r"^```js\n(.*?)^```", HOW_TO.read_text(), re.M | re.S)
    path = FOLDER / "documented-gateway.mjs"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def graph(documented_gateway: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("graph")
    assert run(["keys", "new"], folder, ALGORITHM="ES256").status == 0
    settings = {"FEDERATION": "true", "ALGORITHM": "ES256", "TRUSTED_PROXIES": "127.0.0.1"}
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, **settings) as accounts:
        users = [register(accounts, name) for name in ("Ada", "Grace")]
        ids = [user["user"]["id"] for user in users]
        rows = reviews_by([ids[0], ids[1], UNKNOWN_ID, ids[0]])
        with program(FOLDER / "reviews.mjs", folder, REVIEWS=rows) as reviews:
            addresses = {"ACCOUNTS_URL": accounts.url, "REVIEWS_URL": reviews}
            with program(documented_gateway, folder, **addresses) as gateway:
                yield Graph(gateway, accounts, users[0]["accessToken"])


def register(server: Server, username: str) -> dict[str, Any]:
    answer = execute(
        f"{server.url}/graphql",
        REGISTER,
        username=username,
        email=f"{username}@example.com",
        password="analytical engine",
    )
    token: dict[str, Any] = answer["data"]["register"]
    return token


def reviews_by(ids: list[str]) -> str:
    return json.dumps([{"text": f"of {id}", "author": {"id": id}} for id in ids])


def composed(folder: Path, change: Callable[[str], str] = str) -> dict[str, list[str]]:
    """Compose what `gatehouse schema --federation` prints with the other subgraph, and return the
    errors of each composer."""
    accounts = folder / "accounts.graphql"
    accounts.write_text(change(run(["schema", "--federation"], folder).stdout))
    subgraphs = [f"accounts={accounts}", f"reviews={FOLDER / 'reviews.graphql'}"]
    printed = subprocess.check_output(
        ["node", FOLDER / "compose.mjs", *subgraphs], text=True, timeout=TIMEOUT_SECONDS
    )
    errors: dict[str, list[str]] = json.loads(printed)
    return errors


def test_both_composers_compose_it(tmp_path: Path) -> None:
    assert composed(tmp_path) == {"apollo": [], "guild": []}


@pytest.mark.parametrize(
    ("directive", "error"),
    [(" @shareable", "PageInfo.hasNextPage"), (' @key(fields: "id")', "PublicUser")],
)
def test_both_composers_need_the_directives(tmp_path: Path, directive: str, error: str) -> None:
    errors = composed(tmp_path, lambda sdl: sdl.replace(f"{directive} {{", " {"))

    assert all(any(error in message for message in found) for found in errors.values())


def test_a_gateway_reads_the_authors_of_another_subgraph_at_once(graph: Graph) -> None:
    before = graph.requests_for_entities()
    answer = graph.execute("{ reviews { nodes { author { username } } } }")

    authors = [review["author"] for review in answer["data"]["reviews"]["nodes"]]
    assert "errors" not in answer
    assert [author and author["username"] for author in authors] == ["Ada", "Grace", None, "Ada"]
    wait_until(lambda: graph.requests_for_entities() > before)
    assert graph.requests_for_entities() == before + 1


def test_a_gateway_reads_another_subgraph_for_an_author(graph: Graph) -> None:
    answer = graph.execute("{ reviews { nodes { author { username reviews { text } } } } }")

    authors = [review["author"] for review in answer["data"]["reviews"]["nodes"]]
    assert [author and len(author["reviews"]) for author in authors] == [2, 1, None, 2]


def test_both_subgraphs_have_pages(graph: Graph) -> None:
    page = "pageInfo { hasNextPage }"
    answer = graph.execute(f"{{ posts {{ {page} }} reviews {{ {page} }} }}")

    last = {"pageInfo": {"hasNextPage": False}}
    assert answer["data"] == {"posts": last, "reviews": last}


def test_a_gateway_forwards_the_access_token(graph: Graph) -> None:
    signed_in = graph.execute("{ me { username } }", graph.token)
    nobody = graph.execute("{ me { username } }")

    assert signed_in["data"] == {"me": {"username": "Ada"}}
    assert nobody["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_gateway_verifies_the_access_token(graph: Graph) -> None:
    own = graph.execute("{ myReviews { text } }", graph.token)
    header, claims, signature = graph.token.split(".")
    forged = graph.execute("{ myReviews { text } }", f"{header}.{claims}.{signature[::-1]}")

    assert len(own["data"]["myReviews"]) == 2
    assert forged["data"] == {"myReviews": []}
