"""The work that a document causes before anything of it runs is bounded: for one document, and for
new documents together."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from graphql import GraphQLError
from graphql.execution.values import VariableValues

from domain.errors import DomainError, Overloaded, TooManyAttempts
from graphql_schema.engine.new_documents import NewDocuments
from graphql_schema.errors import translate
from settings import Settings
from tests.clocks import stopped_buckets
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.databases import copy_of
from tests.documents import PREPARATION, empty_cache, seconds_of
from tests.servers import TIMEOUT_SECONDS, running_server
from tests.users import GraphQL
from tests.websockets import initialize, open_socket
from tests.worst_documents import WORST, fragments

pytestmark = pytest.mark.any_database

# On the machine of the benchmarks every one takes less than ten milliseconds. Before there were
# bounds, most took 50 to 240.
MAX_SECONDS = 0.05


OPERATIONS = "".join(f"query q{n}{{...f0}}" for n in range(30)) + fragments(
    30, lambda n: f"...f{n + 1}" if n < 29 else "me{id}"
)


def prepare(document: str, name: str | None = None) -> str:
    """Prepare a new document, and return "ok" or the code of the error."""
    documents = empty_cache()
    try:
        read = documents.read(document, PREPARATION)
        operation = read.operation(name)
        problems = documents.check(read, operation, {}, PREPARATION)
        if not problems:
            documents.plan(read, operation, VariableValues({}, {}), PREPARATION)
            return "ok"
        error = problems[0]
    except GraphQLError as raised:
        error = raised
    except DomainError as raised:
        error = GraphQLError(str(raised), original_error=raised)
    translate(error, request_id="1", suggestions=True)
    return str((error.extensions or {})["code"])


def test_the_worst_documents_take_little_time() -> None:
    slow = {}
    for kind, document in WORST.items():
        seconds = seconds_of(lambda document=document: prepare(document))  # type: ignore[misc]
        if seconds > MAX_SECONDS:
            slow[kind] = seconds
    several = seconds_of(lambda: prepare(OPERATIONS, "q0"))

    assert slow == {}
    assert several < MAX_SECONDS


@pytest.mark.parametrize(
    "document",
    [
        "{" + "...{me{id id}}" * 60 + "}",
        "{" + "me{id me{id}}" * 60 + "}",
        # a fragment that is spread again and again
        "{" + "...{me{...f}}" * 45 + "}fragment f on User{id username id}",
        # below the top
        "{me{" + "...{sessions{id}}" * 60 + "}}",
        # the fields of a fragment count wherever it is spread
        "{"
        + "".join(f"a{n}:user(id:1){{...f}}" for n in range(40))
        + "}fragment f on PublicUser{"
        + "id username imageFile createdAt " * 4
        + "}",
    ],
)
def test_what_repeats_fields_is_refused_by_any_way(document: str) -> None:
    assert prepare(document) == "QUERY_TOO_COSTLY"


def test_validation_stops_after_a_few_errors_and_says_where_they_are() -> None:
    documents = empty_cache()
    read = documents.read("\r\n\n{\r  me { no }\n nor {x} }\n" + "\n" * 100, PREPARATION)
    [first, second] = documents.check(read, read.operation(None), {}, PREPARATION)

    assert [first.formatted["locations"], second.formatted["locations"]] == [
        [{"line": 4, "column": 8}],
        [{"line": 5, "column": 2}],
    ]
    many = documents.read("{" + " ".join(f"n{n}" for n in range(200)) + "}", PREPARATION)
    assert len(documents.check(many, many.operation(None), {}, PREPARATION)) == 6


class TestNewDocuments:
    """The smallest share, so that a few documents use up what is saved."""

    @pytest.fixture(autouse=True)
    def _nothing_is_refilled(self) -> Iterator[None]:
        with stopped_buckets():
            yield

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return settings_for(database_url, new_document_percent=1)

    @staticmethod
    async def use_up(graphql: GraphQL, document: Callable[[int], str]) -> dict[str, object]:
        """Send new documents until one is refused, and return its error."""
        for n in range(500):
            answer = await graphql(document(n))
            if answer.errors and answer.code == "TOO_MANY_ATTEMPTS":
                return answer.error
        raise AssertionError("None was refused.")

    @pytest.mark.parametrize(
        "document",
        [
            lambda n: f"{{ __typename }} # {n}",
            lambda n: f"{{ no{n} }}",
            lambda n: f"{{ me {{ }} }} # {n}",
            lambda n: f"{{ me({n}",
            lambda n: "{" + f"a{n}: me {{ id }} " * 40 + "}",
        ],
        ids=["valid", "unknown", "empty", "unfinished", "repeated"],
    )
    async def test_new_documents_are_limited_and_cached_ones_are_not(
        self, app: FastAPI, graphql: GraphQL, document: Callable[[int], str]
    ) -> None:
        cached = await graphql("{ me { id } }")
        error = await self.use_up(graphql, document)
        again = await graphql("{ me { id } }")
        async with client_of(app, ip="192.0.2.1") as client:
            elsewhere = await GraphQL(client)("{ me { username } }")

        assert error["extensions"]["retryAfter"] >= 1  # type: ignore[index]
        assert "Too many new documents." in str(error["message"])
        assert cached.code == again.code == elsewhere.code == "UNAUTHENTICATED"

    async def test_new_plans_and_measures_of_a_cached_document_are_limited_too(
        self, app: FastAPI, graphql: GraphQL
    ) -> None:
        names = [f"v{n}" for n in range(12)]
        declared = " ".join(f"${name}: Boolean!" for name in names)
        fields = " ".join(f"id @skip(if: ${name})" for name in names)
        document = f"query ({declared}) {{ me {{ __typename {fields} }} }}"
        codes = []
        for n in range(2_000):
            values: dict[str, Any] = {name: bool(n >> bit & 1) for bit, name in enumerate(names)}
            codes.append((await graphql(document, **values)).code)
            if codes[-1] == "TOO_MANY_ATTEMPTS":
                break

        assert codes[0] == "UNAUTHENTICATED"
        assert codes[-1] == "TOO_MANY_ATTEMPTS"


def test_new_documents_over_a_websocket_are_limited_too(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    database_url = copy_of(migrated_sqlite, tmp_path)
    with (
        running_server(database_url, SECRET_KEY, tmp_path, NEW_DOCUMENT_PERCENT="1") as server,
        open_socket(server) as socket,
    ):
        initialize(socket)
        refused: dict[str, Any] = {}
        for n in range(500):
            # Large: a share of the time passes unused if other processes have the processor.
            aliases = " ".join(f"a{alias}: __typename" for alias in range(50))
            payload = {"query": f"{{ {aliases} }} # {n}"}
            socket.send(json.dumps({"id": str(n), "type": "subscribe", "payload": payload}))
            message = json.loads(socket.recv(timeout=TIMEOUT_SECONDS))
            if message["type"] == "error":
                [refused] = message["payload"]
                break
            assert json.loads(socket.recv(timeout=TIMEOUT_SECONDS))["type"] == "complete"

    assert refused["extensions"]["code"] == "TOO_MANY_ATTEMPTS"


def test_a_document_that_was_let_in_is_prepared_whatever_it_takes() -> None:
    new_documents = NewDocuments(0.01)
    begun = new_documents.preparation("a network")

    def use_up() -> None:
        until = time.thread_time() + 0.015
        while time.thread_time() < until:
            pass

    with stopped_buckets():
        for _ in range(2):
            with begun.step():
                use_up()
        with pytest.raises(TooManyAttempts), new_documents.preparation("a network").step():
            pass


def test_all_networks_together_are_limited() -> None:
    new_documents = NewDocuments(0.01, of_all=0.01)

    def use_up() -> None:
        for n in range(1_000):
            with new_documents.preparation(f"network {n}").step():
                sum(range(100_000))

    with pytest.raises(Overloaded, match="busy with new documents"):
        use_up()


def test_the_error_says_when_there_is_time_again() -> None:
    new_documents = NewDocuments(0.01)

    def use() -> None:
        with new_documents.preparation("a network").step():
            while time.thread_time() < until:
                pass

    with stopped_buckets():
        until = time.thread_time() + 0.015
        use()
        with pytest.raises(TooManyAttempts) as refused:
            use()

    assert refused.value.retry_after == 1
