"""Generate, type-check and run the programs in ``web/examples`` against a live server."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "web" / "examples"


def npm(*arguments: str) -> str:
    run = subprocess.run(
        ["npm", "run", "--silent", *arguments],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def documented_programs() -> list[str]:
    """Return the TypeScript of the README and of the pages in docs/."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    text = "\n".join(page.read_text() for page in pages)
    return re.findall(r"^```ts\n(.*?)^```", text, re.M | re.S)


@pytest.fixture(scope="module", autouse=True)
def generated() -> None:
    """Generate types from the committed schema with graphql-codegen and relay-compiler."""
    for stale in (EXAMPLES / "src").glob("documented-*.ts"):
        stale.unlink()
    programs = documented_programs()
    assert programs
    for number, program in enumerate(programs):
        (EXAMPLES / "src" / f"documented-{number}.ts").write_text(program)
    npm("generate")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(f"sqlite:///{folder / 'gatehouse.db'}", SECRET_KEY, folder) as server:
        yield server


def test_the_examples_and_the_documented_programs_compile() -> None:
    npm("check")


def test_relay_compiles_its_connections() -> None:
    query = EXAMPLES / "src" / "relay" / "__generated__" / "PostListPaginationQuery.graphql.ts"

    assert "PostList_posts" in query.read_text()


@pytest.mark.parametrize("client", ["apollo", "urql", "graphql-request"])
def test_a_frontend_does_everything_it_needs(server: Server, client: str) -> None:
    assert npm("start", "--", client, f"{server.url}/graphql") == f"{client}: all is well\n"
