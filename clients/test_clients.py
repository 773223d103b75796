"""Generate, type-check and run the programs in ``web/examples`` against a live server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from clients.npm import expired_token, run_npm
from tests.conftest import SECRET_KEY, settings_for
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, running_server

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "web" / "examples"
TRUSTED = EXAMPLES / "src" / "trusted"

# Of GraphQL Code Generator, Apollo and Relay.
MANIFESTS = ("persisted-documents.json", "persisted-query-manifest.json", "relay.json")


def npm(*arguments: str) -> str:
    return run_npm(EXAMPLES, "run", "--silent", *arguments)


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


@pytest.fixture(scope="module")
def trusting_server(generated: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that accepts only what the three tools have written into their manifests."""
    folder = tmp_path_factory.mktemp("trusting")
    database = f"sqlite:///{folder / 'gatehouse.db'}"
    manifests = ",".join(str(TRUSTED / name) for name in MANIFESTS)
    settings = {"TRUSTED_DOCUMENTS": manifests, "TRUSTED_DOCUMENTS_ONLY": "true"}
    with running_server(database, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.mark.parametrize("tool", ["codegen", "relay"])
def test_a_client_sends_the_ids_of_its_tool(trusting_server: Server, tool: str) -> None:
    url = f"{trusting_server.url}/graphql"

    assert npm("program", "--", "src/trustedDocuments.ts", tool, url) == f"{tool}: sends ids\n"


@pytest.mark.parametrize("client", ["apollo-persisted", "apollo-3-persisted"])
def test_apollo_sends_hashes_and_nothing_else(trusting_server: Server, client: str) -> None:
    url = f"{trusting_server.url}/graphql"

    before = trusting_server.logged().count("DOCUMENT_NOT_TRUSTED")

    assert npm("start", "--", client, url) == f"{client}: all is well\n"
    assert trusting_server.logged().count("DOCUMENT_NOT_TRUSTED") == before


def test_a_client_without_a_manifest_is_refused(trusting_server: Server) -> None:
    with pytest.raises(AssertionError, match=r"DOCUMENT_NOT_TRUSTED|only the documents"):
        npm("start", "--", "graphql-request", f"{trusting_server.url}/graphql")


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_of_an_older_schema_names_what_does_not_fit(
    tmp_path: Path, manifest: str
) -> None:
    """The field of that schema is gone: every tool's document with it is found by its name."""
    old = tmp_path / manifest
    old.write_text(without_hashes((TRUSTED / manifest).read_text()))
    settings = settings_for("sqlite:///unused.db", trusted_documents=[old])

    with pytest.raises(
        SystemExit, match=r"query \w+ of the document .*'name' on type 'PublicUser'"
    ):
        create_app(settings)


def without_hashes(manifest: str) -> str:
    """Return a manifest as of a schema in which users had a name, with ids that are no hashes."""
    old = re.sub(r"[0-9a-f]{64}", lambda id: f"old-{id[0][:8]}", manifest)
    return re.sub(r"(author \{[^}]*?)\busername", r"\1name", old.replace("sha256:", ""))


@pytest.mark.parametrize("client", ["apollo", "urql", "relay", "fetch"])
def test_a_user_stays_signed_in(server: Server, client: str) -> None:
    arguments = (client, f"{server.url}/graphql", expired_token(server))

    assert npm("program", "--", "src/session.ts", *arguments) == f"{client}: stays signed in\n"


def test_a_user_signs_in_with_a_second_factor(tmp_path: Path) -> None:
    # In production nothing shows mails, so no email needs to be verified.
    settings = {"DATA_KEY": DATA_KEY, "ENVIRONMENT": "production"}
    database = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    with running_server(database, SECRET_KEY, tmp_path, **settings) as server:
        ran = npm("program", "--", "src/secondFactor.ts", f"{server.url}/graphql")

    assert ran == "signs in with a second factor\n"


def test_relay_keeps_private_fields_that_are_selected_on_me(server: Server) -> None:
    kept = npm("program", "--", "src/relayCache.ts", f"{server.url}/graphql")

    assert kept == "relay: keeps what is selected on me\n"
