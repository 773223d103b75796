"""Generate, type-check and run the programs in ``web/examples`` against a live server."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from domain.access_tokens.tokens import AccessTokens, Caller
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


@pytest.mark.parametrize(
    "client",
    [
        "apollo",
        "apollo-3",
        "urql",
        "graphql-request",
        "graphql-ws",
    ],
)
def test_a_frontend_does_everything_it_needs(server: Server, client: str) -> None:
    assert npm("start", "--", client, f"{server.url}/graphql") == f"{client}: all is well\n"


@pytest.mark.parametrize("client", ["apollo-persisted", "apollo-3-persisted", "urql-persisted"])
def test_a_client_with_persisted_queries_sends_its_documents_instead(
    server: Server, client: str
) -> None:
    before = server.logged().count("PERSISTED_QUERY_NOT_SUPPORTED")

    assert npm("start", "--", client, f"{server.url}/graphql") == f"{client}: all is well\n"
    assert server.logged().count("PERSISTED_QUERY_NOT_SUPPORTED") > before


def test_urql_refreshes_a_session_and_repeats_what_was_lost(server: Server) -> None:
    token = expired_token(server)

    assert program("urqlSession", server, token) == "urql: stays signed in\n"


def test_relay_keeps_private_fields_that_are_selected_on_me(server: Server) -> None:
    assert program("relayCache", server) == "relay: keeps what is selected on me\n"


def program(name: str, server: Server, *arguments: str) -> str:
    return npm("program", "--", f"src/{name}.ts", f"{server.url}/graphql", *arguments)


def expired_token(server: Server) -> str:
    """Return a token as the server would have issued it a minute before it expired."""
    tokens = AccessTokens(
        secret=SECRET_KEY, algorithm="HS256", lifetime=timedelta(minutes=30), issuer=server.url
    )
    caller = Caller(uuid4(), uuid4())
    return tokens.issue(caller, not_after=datetime.now(UTC) - timedelta(minutes=1)).value
