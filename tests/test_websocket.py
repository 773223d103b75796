"""GraphQL over WebSockets, by the protocol graphql-transport-ws."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RDWR

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, running_server
from tests.websockets import (
    code_of_close,
    error_of,
    execute,
    frame,
    initialize,
    open_socket,
    send_raw,
    subscribe,
)


@pytest.fixture(scope="module")
def one_server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server, on one database: operations run as they do over HTTP."""
    folder = tmp_path_factory.mktemp("server")
    with running_server(copy_of(migrated_sqlite, folder), SECRET_KEY, folder) as server:
        yield server


@pytest.fixture(scope="module")
def token(one_server: Server) -> str:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    response = httpx.post(f"{one_server.url}/graphql", json={"query": REGISTER, "variables": ada})
    access_token: str = response.json()["data"]["register"]["accessToken"]
    return access_token


def test_the_token_may_come_with_connection_init(one_server: Server, token: str) -> None:
    with open_socket(one_server) as socket:
        initialize(socket, Authorization=f"Bearer {token}")

        assert execute(socket, "{ me { username } }") == {"data": {"me": {"username": "Ada"}}}


def test_the_token_may_come_as_a_header(one_server: Server, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with open_socket(one_server, additional_headers=headers) as socket:
        initialize(socket)

        assert execute(socket, "{ me { username } }") == {"data": {"me": {"username": "Ada"}}}


def test_a_socket_sees_what_has_changed_since_it_was_opened(one_server: Server, token: str) -> None:
    with open_socket(one_server) as socket:
        initialize(socket, Authorization=f"Bearer {token}")
        before = execute(socket, "{ me { imageFile } }")
        execute(socket, 'mutation { updateMe(input: { imageFile: "ada.png" }) { id } }')

        after = execute(socket, "{ me { imageFile } }")

    assert before != after == {"data": {"me": {"imageFile": "ada.png"}}}


def test_errors_are_translated_there_too(one_server: Server) -> None:
    with open_socket(one_server) as socket:
        initialize(socket)
        payload = execute(socket, "{ me { username } }")

    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_whoever_leaves_before_the_answer_leaves_no_traceback(one_server: Server) -> None:
    for document in ("{ nonsense", "{ nothing }", "{ posts { edges { cursor } } }") * 10:
        # The shutdown can be faster than the closing handshake.
        with suppress(ConnectionClosed, OSError), open_socket(one_server) as socket:
            initialize(socket)
            for id in "12345":
                subscribe(socket, document, id=id)
            socket.socket.shutdown(SHUT_RDWR)
    with open_socket(one_server) as socket:
        initialize(socket)

    assert "worker task" not in one_server.logged()


def test_another_origin_is_refused(one_server: Server) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        open_socket(one_server, origin="https://evil.example"),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_a_hash_instead_of_a_document_is_not_supported(one_server: Server) -> None:
    """Apollo and urql then send the document."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}
    payload = {"operationName": "Me", "extensions": extensions}
    with open_socket(one_server) as socket:
        initialize(socket)
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        answer = json.loads(socket.recv(TIMEOUT_SECONDS))
        [error] = answer["payload"]
        document = execute(socket, "{ __typename }")

    assert (answer["type"], answer["id"]) == ("error", "1")
    assert error["message"] == "PersistedQueryNotSupported"
    assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}
    assert document == {"data": {"__typename": "Query"}}


def test_the_legacy_protocol_is_off(one_server: Server) -> None:
    address = one_server.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-ws")]) as socket:
        assert socket.subprotocol is None


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "null",
        "1",
        '"text"',
        "{}",
        "{",
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "' + "x" * 200 + '", "payload": {"query": "{ me }"}}',
        '{"type": "subscribe", "id": "\\ud800", "payload": {"query": "{ me }"}}',
        '{"type": "complete", "id": []}',
        '{"type": "ping", "payload": []}',
        '{"type": "' + "x" * 200 + '"}',
        '{"type": "\\ud800"}',
        "[" * 100_000,
        "9" * 5_000,
        # Well-formed, and long to parse.
        '{"type": "ping", "payload": {"x": [' + "1," * 50_000 + "1]}}",
    ],
)
def test_a_malformed_message_closes_the_socket_with_a_reason(
    one_server: Server, message: str
) -> None:
    with open_socket(one_server) as socket:
        initialize(socket)
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(TIMEOUT_SECONDS)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
    assert "Traceback" not in one_server.logged()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{ nothing(is: "hunter2") }', "GRAPHQL_VALIDATION_FAILED"),
        (
            'query A { user(id: "hunter2") { id } } query B { me { id } }',
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ('{ user(id: "hunter2") { id(n: ' + "9" * 5_000 + ") } }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { user(id: "hunter2") { id } }', "GRAPHQL_VALIDATION_FAILED"),
        ('fragment F on Query { user(id: "hunter2") { id } }', "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ posts(first: 100) { edges { node { author { posts(first: 100)"
            ' { edges { node { id } } } } } } } user(id: "hunter2") { id } }',
            "QUERY_TOO_COSTLY",
        ),
        (
            'mutation { login(username: "a", password: "hunter2) { expiresIn }',
            "GRAPHQL_PARSE_FAILED",
        ),
        ('"hunter2"', "GRAPHQL_PARSE_FAILED"),
        (" ", "GRAPHQL_PARSE_FAILED"),
        ('{ user(id: "hunter2") { id } }' + " " * 20_000, "QUERY_TOO_COSTLY"),
        ('{ user(id: "hunter2") { id } ' + "me { id } " * 500 + "}", "QUERY_TOO_COSTLY"),
        ("{ a" * 200 + "}" * 200, "QUERY_TOO_COSTLY"),
    ],
)
def test_every_error_of_a_document_reaches_the_client_and_no_log(
    one_server: Server, document: str, code: str
) -> None:
    with open_socket(one_server) as socket:
        initialize(socket)
        subscribe(socket, document)

        assert error_of(socket) == code
        assert execute(socket, "{ __typename }") == {"data": {"__typename": "Query"}}
    assert "hunter2" not in one_server.logged()
    assert "Traceback" not in one_server.logged()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ([], "INVALID_INPUT"),
        (None, "INVALID_INPUT"),
        ({}, "INVALID_INPUT"),
        ({"query": 1}, "INVALID_INPUT"),
        ({"query": ""}, "INVALID_INPUT"),
        ({"query": "{ me { id } }", "variables": []}, "INVALID_INPUT"),
        ({"query": "{ me { id } }", "operationName": 1}, "INVALID_INPUT"),
        ({"query": "{ me { id } }", "extensions": "hunter2"}, "INVALID_INPUT"),
        (
            {"extensions": {"persistedQuery": {"version": 1}}},
            "PERSISTED_QUERY_NOT_SUPPORTED",
        ),
        ({"query": "{ __typename }", "operationName": "Nobody"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ __typename }", "operationName": "\ud800"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ __typename }", "operationName": "x" * 10_000}, "GRAPHQL_VALIDATION_FAILED"),
        (
            {
                "query": "query ($id: ID!) { user(id: $id) { id } }",
                "variables": {"id": ["hunter2"]},
            },
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ({"query": "query ($id: ID!) { user(id: $id) { id } }"}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_an_error_of_one_operation_leaves_the_socket_and_the_others_alone(
    one_server: Server, payload: object, code: str
) -> None:
    # Hashing takes longer than all the rest.
    login = 'mutation { login(username: "Nobody", password: "difference engine") { expiresIn } }'
    with open_socket(one_server) as socket:
        initialize(socket)
        subscribe(socket, login, id="other")
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        answers = [json.loads(socket.recv(TIMEOUT_SECONDS)) for _ in range(3)]

    by_type = {(answer["id"], answer["type"]): answer.get("payload") for answer in answers}
    assert by_type["1", "error"][0]["extensions"]["code"] == code
    assert by_type["other", "next"]["errors"][0]["extensions"]["code"] == "INVALID_CREDENTIALS"
    assert ("other", "complete") in by_type
    assert "hunter2" not in json.dumps(answers) + one_server.logged()
    assert "Traceback" not in one_server.logged()


def test_an_id_that_is_in_use_closes_the_socket_as_the_protocol_requires(
    one_server: Server,
) -> None:
    login = 'mutation { login(username: "Nobody", password: "difference engine") { expiresIn } }'
    asked = json.dumps({"id": "1", "type": "subscribe", "payload": {"query": login}})
    with open_socket(one_server) as socket:
        initialize(socket)
        send_raw(socket, frame(asked), frame(asked))

        assert code_of_close(socket) == 4409


def test_operations_need_connection_init(one_server: Server) -> None:
    with open_socket(one_server) as socket:
        subscribe(socket, "{ nonsense")

        assert code_of_close(socket) == 4401


def test_a_message_that_is_too_big_closes_the_socket(one_server: Server) -> None:
    with open_socket(one_server) as socket:
        initialize(socket)
        socket.send("#" * 2_000_000)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(TIMEOUT_SECONDS)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
