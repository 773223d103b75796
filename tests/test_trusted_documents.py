"""Trusted documents: manifests, the requests that name their documents, and no other documents."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql.execution.values import VariableValues

from api.app import create_app
from api.trusted_documents import MAX_MANIFEST_MIB
from cli.check.findings import Finding, Level
from cli.check.trusted_documents import trusted_documents
from domain.errors import TooManyAttempts
from graphql_schema.engine.documents import Documents
from graphql_schema.engine.new_documents import NewDocuments
from graphql_schema.engine.trusted_documents import TrustedDocuments
from graphql_schema.engine.validation import MAX_CHARACTERS
from settings import Settings
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.databases import copy_of
from tests.documents import DEFAULT_LIMITS, PREPARATION, SCHEMA
from tests.operations import LOGIN
from tests.servers import TIMEOUT_SECONDS, Server, running_server, wait_until
from tests.users import GraphQL, register_user
from tests.websockets import error_of, execute, initialize, open_socket

pytestmark = pytest.mark.any_database

POSTS = "query Posts($first: Int) { posts(first: $first) { edges { cursor } } }"
NAME = "query Name { __typename }"
OTHER = "{ __typename }"
OLD = "query Old { posts(first: 1) { total } }"
ID = f"sha256:{sha256(NAME.encode()).hexdigest()}"
HASH = ID.removeprefix("sha256:")
LOGOUT = "mutation Logout { logout }"
GRAPHQL_JSON = {"Accept": "application/graphql-response+json"}


def hashed(*texts: str) -> dict[str, str]:
    """Return a manifest of GraphQL Code Generator."""
    return {f"sha256:{sha256(text.encode()).hexdigest()}": text for text in texts}


def apollo(**texts: str) -> dict[str, Any]:
    """Return a manifest of Apollo."""
    operations = [
        {"id": id, "name": "A", "type": "query", "body": text} for id, text in texts.items()
    ]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


FORMATS = [hashed(NAME), apollo(**{HASH: NAME}), {"3f2a": NAME}]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write(tmp_path, hashed(NAME, POSTS, LOGOUT))


def write(folder: Path, manifest: object, name: str = "manifest.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(manifest))
    return file


@asynccontextmanager
async def trusting(
    database_url: str, *files: Path, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve with these manifests."""
    app = create_app(settings_for(database_url, trusted_documents=files, **settings))
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


async def post(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    # Escaped here: httpx cannot encode half of a surrogate pair, which a browser escapes.
    headers = {"Content-Type": "application/json"}
    response = await client.post("/graphql", content=json.dumps(body), headers=headers)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def code_of(answer: dict[str, Any]) -> str:
    [error] = answer["errors"]
    code: str = error["extensions"]["code"]
    return code


def by_hash(hash: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash}}


def reason(settings: Settings) -> str:
    """Return the line with which a start is refused."""
    with pytest.raises(SystemExit) as refused:
        create_app(settings)
    return str(refused.value)


# Requests


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("id", [ID, HASH])
async def test_a_document_is_found_by_its_hash_in_every_format(
    database_url: str, tmp_path: Path, format: object, id: str
) -> None:
    async with trusting(database_url, write(tmp_path, format)) as client:
        found = await post(client, documentId=id)
        by_apollo = await post(client, extensions=by_hash(id))

    assert found == by_apollo == {"data": {"__typename": "Query"}}


async def test_a_document_is_found_by_the_id_of_its_manifest(
    database_url: str, tmp_path: Path
) -> None:
    async with trusting(database_url, write(tmp_path, {"3f2a": NAME})) as client:
        assert await post(client, documentId="3f2a") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["application/json", "text/html,*/*"])
async def test_it_is_found_by_get(database_url: str, manifest: Path, accept: str) -> None:
    async with trusting(database_url, manifest) as client:
        response = await client.get(
            "/graphql", params={"documentId": ID}, headers={"Accept": accept}
        )

    assert response.json() == {"data": {"__typename": "Query"}}


async def test_a_mutation_is_not_sent_by_get(database_url: str, manifest: Path) -> None:
    [id] = hashed(LOGOUT)
    async with trusting(database_url, manifest) as client:
        response = await client.get("/graphql", params={"documentId": id})

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


async def test_a_document_has_variables(database_url: str, manifest: Path) -> None:
    [id] = hashed(POSTS)
    async with trusting(database_url, manifest) as client:
        few = await post(client, documentId=id, variables={"first": 1}, operationName="Posts")
        many = await post(client, documentId=id, variables={"first": 1000})

    assert few == {"data": {"posts": {"edges": []}}}
    assert code_of(many) == "INVALID_INPUT"


@pytest.mark.parametrize("only", [False, True])
async def test_limits_hold_for_trusted_documents(
    database_url: str, tmp_path: Path, only: bool
) -> None:
    nested = "query N($n: Int) { posts(first: $n) { edges { node { author { posts(first: $n) { edges { cursor } } } } } } }"
    [id] = hashed(nested)
    file = write(tmp_path, hashed(nested))
    async with trusting(database_url, file, trusted_documents_only=only) as client:
        assert code_of(await post(client, documentId=id, variables={"n": 100})) == (
            "QUERY_TOO_COSTLY"
        )


@pytest.mark.parametrize("request_", [{"documentId": "00"}, {"extensions": by_hash("00" * 32)}])
async def test_apollo_is_told_that_an_id_is_unknown(
    database_url: str, manifest: Path, request_: dict[str, Any]
) -> None:
    async with trusting(database_url, manifest) as client:
        answer = await post(client, **request_)

    assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"
    assert answer["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_without_trusted_documents_no_id_is_supported(database_url: str) -> None:
    async with trusting(database_url) as client:
        assert code_of(await post(client, documentId=ID)) == "PERSISTED_QUERY_NOT_SUPPORTED"


@pytest.mark.parametrize("persisted", [1, [], {}, {"sha256Hash": 1}, {"sha256Hash": None}])
async def test_a_malformed_hash_is_that_of_no_document(
    database_url: str, manifest: Path, persisted: object
) -> None:
    async with trusting(database_url, manifest) as client:
        answer = await post(client, extensions={"persistedQuery": persisted})

    assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"


async def test_an_id_is_text(database_url: str, manifest: Path) -> None:
    async with trusting(database_url, manifest) as client:
        response = await client.post("/graphql", json={"documentId": 1})

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == "`documentId` must be a string or null."


@pytest.mark.parametrize("id", [ID, "00" * 32])
async def test_a_text_beside_an_id_is_its_document(
    database_url: str, manifest: Path, id: str
) -> None:
    async with trusting(database_url, manifest) as client:
        other = await post(client, documentId=id, query="{ me { id } } # \ud800")
        same = await post(client, documentId=ID, query=NAME)

    assert code_of(other) == "INVALID_INPUT"
    assert same == {"data": {"__typename": "Query"}}


async def test_apollo_sends_hash_and_text_of_a_document_that_is_unknown(
    database_url: str, manifest: Path
) -> None:
    extensions = by_hash(sha256(OTHER.encode()).hexdigest())
    async with trusting(database_url, manifest) as client:
        sent = await post(client, query=OTHER, extensions=extensions)
        again = await post(client, extensions=extensions)

    assert sent == {"data": {"__typename": "Query"}}
    assert code_of(again) == "PERSISTED_QUERY_NOT_FOUND"


# No other documents


@pytest.mark.parametrize(
    "request_",
    [
        {"query": OTHER},
        {"query": "{ this is no document"},
        {"documentId": "00"},
        {"extensions": by_hash("00" * 32)},
        {"query": OTHER, "extensions": by_hash(sha256(OTHER.encode()).hexdigest())},
    ],
)
async def test_only_trusted_documents_are_accepted(
    database_url: str, manifest: Path, request_: dict[str, Any]
) -> None:
    async with trusting(database_url, manifest, trusted_documents_only=True) as client:
        refused = await post(client, **request_)
        response = await client.post("/graphql", json=request_, headers=GRAPHQL_JSON)

    assert code_of(refused) == "DOCUMENT_NOT_TRUSTED"
    assert response.status_code == 400


async def test_a_trusted_document_may_be_sent_as_text(database_url: str, manifest: Path) -> None:
    async with trusting(database_url, manifest, trusted_documents_only=True) as client:
        assert await post(client, query=NAME) == {"data": {"__typename": "Query"}}
        assert await post(client, documentId=ID) == {"data": {"__typename": "Query"}}


async def test_then_there_is_no_explorer(database_url: str, manifest: Path) -> None:
    html = {"Accept": "text/html"}
    async with trusting(database_url, manifest, trusted_documents_only=True) as client:
        response = await client.get("/graphql", headers=html)
        docs = await client.get("/docs", headers=html)

    assert (response.status_code, docs.status_code) == (404, 200)


@pytest.mark.parametrize("tool", ["GRAPHIQL", "INTROSPECTION"])
def test_tools_that_send_other_documents_are_refused(manifest: Path, tool: str) -> None:
    with pytest.raises(ValueError, match=f"TRUSTED_DOCUMENTS_ONLY .* {tool}"):
        settings_for(
            "sqlite:///unused.db",
            trusted_documents=[manifest],
            trusted_documents_only=True,
            **{tool.lower(): True},
        )


def test_only_trusted_documents_need_a_manifest() -> None:
    with pytest.raises(ValueError, match="TRUSTED_DOCUMENTS is required"):
        settings_for("sqlite:///unused.db", trusted_documents_only=True)


# Manifests


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "manifest.json is not JSON in UTF-8"),
        (b"\xff\xfe{\x00}\x00", "manifest.json is not JSON in UTF-8"),
        ("[" * 100_000, "manifest.json is not JSON in UTF-8"),
        ("[]", "is not a manifest of documents"),
        ("null", "is not a manifest of documents"),
        ('{"a": 1}', "has an entry without a text for a"),
        ('{"a": ""}', "has an entry without a text for a"),
        ('{"a": "{ a }", "a": "{ b }"}', "has the key a twice"),
        (json.dumps({ID: OTHER}), f"has the id {ID}, which is not the hash of its document"),
        (json.dumps({HASH: OTHER}), f"has the id {HASH}, which is not the hash of its document"),
        (json.dumps({**apollo(a=NAME), "version": 2}), "version 2"),
        (json.dumps({**apollo(), "operations": [1]}), "has an entry without a text for id"),
        (
            json.dumps(
                {
                    **apollo(),
                    "operations": [*apollo(a=NAME)["operations"], *apollo(a=OTHER)["operations"]],
                }
            ),
            "has two documents with the id a",
        ),
        (" " * (MAX_MANIFEST_MIB * 1024 * 1024 + 1), f"must have at most {MAX_MANIFEST_MIB} MiB"),
    ],
    ids=range(14),
)
def test_a_broken_manifest_stops_the_start(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    line = reason(settings_for("sqlite:///unused.db", trusted_documents=[file]))

    assert line.startswith(f"gatehouse: TRUSTED_DOCUMENTS {file}")
    assert expected in line


def test_a_manifest_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    settings = settings_for("sqlite:///unused.db", trusted_documents=[tmp_path / "a.json"])

    assert reason(settings).endswith("a.json cannot be read: No such file or directory")


def test_a_manifest_that_is_a_pipe_stops_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    settings = settings_for("sqlite:///unused.db", trusted_documents=[tmp_path / "a.json"])

    assert reason(settings).endswith("a.json cannot be read: Not a regular file")


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(hashed(NAME)), encoding="utf-8-sig")

    assert create_app(settings_for("sqlite:///unused.db", trusted_documents=[file]))


def test_two_manifests_may_share_a_document_but_not_an_id(tmp_path: Path) -> None:
    first = write(tmp_path, {"a": NAME}, "first.json")
    same = write(tmp_path, {"a": NAME, "b": NAME}, "same.json")
    other = write(tmp_path, {"a": OTHER}, "other.json")

    assert create_app(settings_for("sqlite:///unused.db", trusted_documents=[first, same]))
    assert "has two documents with the id a" in reason(
        settings_for("sqlite:///unused.db", trusted_documents=[first, other])
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD, "query Old of the document x cannot be used: Cannot query field 'total'"),
        ("query A($b: Old) { a(b: $b) }", "query A of the document x cannot be used: Unknown"),
        ("query A {", "query A of the document x cannot be used: Syntax Error"),
        ("{ __schema { types { name } } }", "the document x cannot be used"),
        ("{ __typename }".ljust(MAX_CHARACTERS + 1), "The document is too long"),
        ("query A { ...B } fragment B on Query { ...B }", "Cannot spread fragment"),
    ],
    ids=range(6),
)
def test_a_document_of_another_schema_is_refused_by_its_name(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = write(tmp_path, {"x": text})
    settings = settings_for(
        "sqlite:///unused.db", trusted_documents=[file], environment="production"
    )

    assert expected in reason(settings)


def test_what_is_sent_to_the_server_makes_it_forget_no_trusted_document() -> None:
    trusted = TrustedDocuments({"a": NAME})
    documents = Documents(SCHEMA, DEFAULT_LIMITS, NewDocuments(1), trusted=trusted)
    before = documents.read(NAME, PREPARATION)
    for number in range(1100):
        other = documents.read(f"{OTHER} # {number}", PREPARATION)
        documents.check(other, other.operation(None), {}, PREPARATION)

    assert documents.read(NAME, PREPARATION) is before


def test_they_take_nothing_of_the_time_for_new_documents() -> None:
    new, trusted = NewDocuments(1e-9, of_all=1), TrustedDocuments({"a": NAME})
    documents = Documents(SCHEMA, DEFAULT_LIMITS, new, trusted=trusted)
    documents.read(OTHER, new.preparation("127.0.0.1"))
    without_time = new.preparation("127.0.0.1")
    known = documents.read(NAME, without_time)
    operation = known.operation("Name")

    assert documents.check(known, operation, {}, without_time) == []
    assert documents.plan(known, operation, VariableValues({}, {}), without_time)
    with pytest.raises(TooManyAttempts):
        documents.read(OTHER, without_time)


# Servers


def test_they_are_named_over_websockets(migrated_sqlite: Path, tmp_path: Path) -> None:
    file = write(tmp_path, hashed(NAME))
    settings = {"TRUSTED_DOCUMENTS": str(file), "TRUSTED_DOCUMENTS_ONLY": "true"}
    url = copy_of(migrated_sqlite, tmp_path)
    with (
        running_server(url, SECRET_KEY, tmp_path, **settings) as server,
        open_socket(server) as socket,
    ):
        initialize(socket)
        found = [
            send(socket, documentId=ID),
            send(socket, extensions=by_hash(HASH)),
            execute(socket, NAME)["data"],
        ]
        refused = []
        for payload in ({"documentId": "00"}, {"query": OTHER}, {"query": "{ broken"}):
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            refused.append(error_of(socket))

    assert found == [{"__typename": "Query"}] * 3
    assert refused == ["DOCUMENT_NOT_TRUSTED"] * 3


def send(socket: Any, **payload: Any) -> Any:
    """Return the data of an operation."""
    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    message = json.loads(socket.recv(TIMEOUT_SECONDS))
    assert json.loads(socket.recv(TIMEOUT_SECONDS))["type"] == "complete"
    return message["payload"]["data"]


def test_sighup_reads_the_manifests_anew(migrated_sqlite: Path, tmp_path: Path) -> None:
    file = write(tmp_path, hashed(POSTS))
    settings = {"TRUSTED_DOCUMENTS": str(file), "WORKERS": "2"}
    url = copy_of(migrated_sqlite, tmp_path)
    with running_server(url, SECRET_KEY, tmp_path, **settings) as server:
        wait_until(lambda: "2 workers are serving" in server.logged())
        before = code_of(httpx.post(f"{server.url}/graphql", json={"documentId": ID}).json())
        write(tmp_path, hashed(POSTS, NAME))
        restart(server, "All workers were replaced")
        after = httpx.post(f"{server.url}/graphql", json={"documentId": ID}).json()
        write(tmp_path, hashed(POSTS, OLD))
        restart(server, "keeping the current workers")
        kept = httpx.post(f"{server.url}/graphql", json={"documentId": ID}).json()

    assert before == "PERSISTED_QUERY_NOT_FOUND"
    assert after == kept == {"data": {"__typename": "Query"}}
    assert "Cannot query field 'total'" in server.logged()


def restart(server: Server, outcome: str) -> None:
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: outcome in server.logged())


# gatehouse check


def checked(*files: Path, **settings: Any) -> list[Finding]:
    """Check these manifests, without the one of the account pages, which may not be built."""
    return list(
        trusted_documents(
            settings_for(
                "sqlite:///unused.db", trusted_documents=files, account_pages=False, **settings
            )
        )
    )


def test_check_counts_the_documents_and_says_what_else_is_accepted(manifest: Path) -> None:
    [off], [on] = checked(), checked(manifest)
    [only] = checked(manifest, trusted_documents_only=True)

    assert {off.level, on.level, only.level} == {Level.OK}
    assert off.message == "not set: clients may send any document"
    assert on.message == "3 documents; clients may send others too"
    assert only.message == "3 documents, and no others"


def test_check_names_what_does_not_fit(tmp_path: Path) -> None:
    [finding] = checked(write(tmp_path, {"x": OLD}))

    assert (finding.level, finding.item) == (Level.PROBLEM, "TRUSTED_DOCUMENTS")
    assert "query Old of the document x" in finding.message


async def test_a_password_is_verified_by_a_trusted_document(
    database_url: str, tmp_path: Path
) -> None:
    [id] = hashed(LOGIN)
    async with trusting(database_url, write(tmp_path, hashed(LOGIN))) as client:
        ada = await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")
        variables = {"username": "Ada", "password": ada.password}
        answer = await post(client, documentId=id, variables=variables)

    assert answer["data"]["login"]["user"]["id"] == ada.id
