"""The program in this folder, generated, type-checked and run against a live server by each of its clients."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server

HERE = Path(__file__).parent
README = HERE.parent / "README.md"


def npm(*arguments: str) -> str:
    run = subprocess.run(
        ["npm", "run", "--silent", *arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module", autouse=True)
def generated() -> None:
    """graphql-codegen's client preset and relay-compiler, both on the committed schema; the README's lines with the rest."""
    lines = re.search(r"^```ts\n(.*?)^```", README.read_text(), re.M | re.S)
    assert lines is not None
    (HERE / "src" / "readme.ts").write_text(lines[1])
    npm("generate")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(f"sqlite:///{folder / 'gatehouse.db'}", SECRET_KEY, folder) as server:
        yield server


def test_what_is_generated_fits_the_program_and_the_readme() -> None:
    npm("check")


def test_relay_compiles_its_connections() -> None:
    query = HERE / "src" / "relay" / "__generated__" / "PostListPaginationQuery.graphql.ts"

    assert "PostList_posts" in query.read_text()


@pytest.mark.parametrize("client", ["apollo", "urql", "graphql-request"])
def test_a_frontend_does_everything_it_needs(server: Server, client: str) -> None:
    assert npm("start", "--", client, f"{server.url}/graphql") == f"{client}: all is well\n"
