"""Subscriptions over WebSockets and as server-sent events, against a server on a real socket."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from domain.subscriptions import MAX_CONNECTIONS_PER_SESSION, MAX_STREAMS_PER_CONNECTION
from tests.operations import LOGIN, REGISTER
from tests.servers import Server, wait_until
from tests.subscriptions import (
    EVENTS,
    ME,
    event_stream,
    events_in,
    next_data,
    next_message,
    rest_of,
    subscribed,
)
from tests.websockets import error_of, initialize, open_socket, subscribe

PASSWORD = "analytical engine"

# A poll each second, the check of a session, and a busy machine.
SOON = 5

Execute = Callable[..., Any]

numbers = count()


@pytest.fixture
def execute(shared_server: Server) -> Execute:
    def execute(document: str, *, by: str | None = None, **variables: object) -> Any:
        headers = {"Authorization": f"Bearer {by}"} if by else {}
        body = {"query": document, "variables": variables}
        response = httpx.post(f"{shared_server.url}/graphql", json=body, headers=headers)
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]

    return execute


@pytest.fixture
def name(execute: Execute) -> str:
    name = f"ada{next(numbers)}"
    execute(REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)
    return name


@pytest.fixture
def token(execute: Execute, name: str) -> str:
    return log_in(execute, name)


def log_in(execute: Execute, name: str) -> str:
    token: str = execute(LOGIN, username=name, password=PASSWORD)["login"]["accessToken"]
    return token


def end_session(execute: Execute, token: str, *, by: str) -> None:
    sessions = execute("{ me { sessions { id } } }", by=by)["me"]["sessions"]
    current = execute("{ me { sessions { id isCurrent } } }", by=token)["me"]["sessions"]
    [id] = [one["id"] for one in current if one["isCurrent"]]
    assert id in {one["id"] for one in sessions}
    execute("mutation ($id: ID!) { endSession(id: $id) }", by=by, id=id)


def test_events_arrive_as_they_happen(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    with subscribed(shared_server, token, EVENTS) as socket:
        log_in(execute, name)
        other = log_in(execute, name)
        arrived = [next_data(socket)["securityEvents"]["kind"] for _ in range(2)]
        execute("mutation { logout }", by=other)
        arrived.append(next_data(socket)["securityEvents"]["kind"])

    assert arrived == ["LOGGED_IN", "LOGGED_IN", "SESSION_ENDED"]


def test_events_of_other_kinds_and_of_others_do_not_arrive(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    document = "subscription { securityEvents(kinds: [SESSION_ENDED]) { kind } }"
    with subscribed(shared_server, token, document) as socket:
        execute(REGISTER, username=f"{name}x", email=f"{name}x@example.com", password=PASSWORD)
        execute("mutation { logout }", by=log_in(execute, f"{name}x"))
        execute("mutation { logout }", by=log_in(execute, name))
        first = next_data(socket)
        execute("mutation { logout }", by=log_in(execute, name))
        second = next_data(socket)

    assert first == second == {"securityEvents": {"kind": "SESSION_ENDED"}}


def test_me_arrives_at_once_and_after_each_change(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    document = "subscription { me { username imageFile sessions { id } } }"
    update = "mutation ($image: String) { updateMe(input: { imageFile: $image }) { id } }"
    with subscribed(shared_server, token, document) as socket:
        now = next_data(socket)["me"]
        log_in(execute, name)
        with_session = next_data(socket)["me"]
        execute(update, by=token, image="https://example.com/ada.png")
        with_picture = next_data(socket)["me"]

    assert (now["username"], now["imageFile"]) == (name, None)
    assert len(with_session["sessions"]) == len(now["sessions"]) + 1
    assert with_picture["imageFile"] == "https://example.com/ada.png"


def test_an_ended_session_is_cut_off(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    own = log_in(execute, name)
    with subscribed(shared_server, token, EVENTS, ME) as socket:
        assert next_message(socket)["id"] == "2"
        end_session(execute, token, by=own)
        started = time.monotonic()
        messages, code = rest_of(socket)
        seconds = time.monotonic() - started

    assert code == 4401
    assert sorted((one["id"], one["type"]) for one in messages) == [("1", "error"), ("2", "error")]
    codes = {error["extensions"]["code"] for one in messages for error in one["payload"]}
    assert codes == {"UNAUTHENTICATED"}
    assert seconds < SOON


@pytest.mark.parametrize("document", [EVENTS, ME])
def test_a_deleted_account_is_cut_off(
    shared_server: Server, execute: Execute, token: str, document: str
) -> None:
    with subscribed(shared_server, token, document) as socket:
        execute(
            "mutation ($password: String!) { deleteMe(password: $password) }",
            by=token,
            password=PASSWORD,
        )
        messages, code = rest_of(socket)

    assert code == 4401
    assert messages[-1]["type"] == "error"
    assert [one["type"] for one in messages[:-1]] in ([], ["next"])


def test_other_operations_run_beside_subscriptions(shared_server: Server, token: str) -> None:
    with subscribed(shared_server, token, *[EVENTS] * MAX_STREAMS_PER_CONNECTION) as socket:
        subscribe(socket, "{ me { email } }", id="query")
        answer = next_message(socket)
        complete = next_message(socket)

    assert (answer["id"], answer["type"]) == ("query", "next")
    assert complete == {"id": "query", "type": "complete"}


def test_a_completed_subscription_makes_room_for_another(shared_server: Server, token: str) -> None:
    with subscribed(shared_server, token, *[ME] * MAX_STREAMS_PER_CONNECTION) as socket:
        for _ in range(MAX_STREAMS_PER_CONNECTION):
            next_data(socket)
        subscribe(socket, ME, id="more")
        refused = error_of(socket, id="more")
        socket.send('{"type": "complete", "id": "1"}')
        subscribe(socket, ME, id="again")
        again = next_message(socket)

    assert refused == "QUOTA_EXCEEDED"
    assert (again["id"], again["type"]) == ("again", "next")


def test_sockets_of_a_session_are_bounded(shared_server: Server, token: str) -> None:
    sockets = [subscribed(shared_server, token, ME) for _ in range(MAX_CONNECTIONS_PER_SESSION)]
    for one in sockets:
        next_data(one.__enter__())
    try:
        with subscribed(shared_server, token, ME) as socket:
            refused = error_of(socket)
    finally:
        for one in sockets:
            one.__exit__(None, None, None)

    assert refused == "QUOTA_EXCEEDED"


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "UNAUTHENTICATED"), ({"Authorization": "Bearer nonsense"}, "UNAUTHENTICATED")],
)
def test_without_a_valid_token_there_is_an_error_and_the_socket_stays(
    shared_server: Server, headers: dict[str, str], code: str
) -> None:
    with open_socket(shared_server) as socket:
        initialize(socket, **headers)
        subscribe(socket, EVENTS)
        refused = error_of(socket)
        subscribe(socket, "{ __typename }", id="2")
        answer = next_message(socket)

    assert refused == code
    assert answer["payload"] == {"data": {"__typename": "Query"}}


def test_a_token_of_an_ended_session_closes_the_socket(
    shared_server: Server, execute: Execute, token: str
) -> None:
    execute("mutation { logout }", by=token)
    with subscribed(shared_server, token, EVENTS) as socket:
        messages, code = rest_of(socket)

    assert [one["type"] for one in messages] == ["error"]
    assert code == 4401


@pytest.mark.parametrize(
    "document",
    [
        "subscription { me { id } securityEvents { id } }",
        "subscription { __typename }",
        "subscription { ...two } fragment two on Subscription { me { id } securityEvents { id } }",
        'subscription { securityEvents(kinds: "hunter2") { id } }',
        "subscription { me @skip(if: true) { id } }",
    ],
)
def test_an_invalid_subscription_is_refused(
    shared_server: Server, token: str, document: str
) -> None:
    with subscribed(shared_server, token, document) as socket:
        assert error_of(socket) == "GRAPHQL_VALIDATION_FAILED"


def test_an_event_stream_has_the_same_events(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    with event_stream(shared_server, token, ME) as response:
        events = events_in(response)
        first = next(events)
        log_in(execute, name)
        second = next(events)
        execute("mutation { logout }", by=token)
        rest = list(events)

    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert first == second == ("next", {"data": {"me": {"username": name, "imageFile": None}}})
    [(kind, ended), complete] = rest
    assert kind == "next"
    assert ended["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert complete == ("complete", None)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ __typename }", {"data": {"__typename": "Query"}}),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_a_query_can_be_read_as_an_event_stream(
    shared_server: Server, document: str, expected: object
) -> None:
    with event_stream(shared_server, None, document) as response:
        [(name, answer), complete] = events_in(response)

    if isinstance(expected, str):
        answer = answer["errors"][0]["extensions"]["code"]
    assert (response.status_code, name, answer) == (200, "next", expected)
    assert complete == ("complete", None)


def test_a_client_that_accepts_json_gets_json_for_a_query(shared_server: Server) -> None:
    """urql accepts event streams with every request."""
    accept = "application/graphql-response+json, application/json, text/event-stream"
    response = httpx.post(
        f"{shared_server.url}/graphql",
        json={"query": "{ __typename }"},
        headers={"Accept": accept},
    )

    assert response.headers["Content-Type"] == "application/graphql-response+json"
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_a_subscription_without_an_event_stream_is_refused(
    shared_server: Server, token: str, accept: str
) -> None:
    headers = {"Accept": accept, "Authorization": f"Bearer {token}"}
    response = httpx.post(f"{shared_server.url}/graphql", json={"query": ME}, headers=headers)

    assert response.status_code == 406
    assert "text/event-stream" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_subscription_by_get_is_refused(shared_server: Server, token: str, accept: str) -> None:
    """Anyone's page could open it, and EventSource cannot send the token."""
    headers = {"Accept": accept, "Authorization": f"Bearer {token}"}
    url = f"{shared_server.url}/graphql"
    response = httpx.get(url, params={"query": ME}, headers=headers)

    assert response.status_code == (405 if accept == "application/json" else 406)


def test_each_subscription_has_a_line_in_the_log(
    shared_server: Server, execute: Execute, name: str, token: str
) -> None:
    document = "subscription Watch { securityEvents { kind } }"
    with subscribed(shared_server, token, document) as socket:
        log_in(execute, name)
        next_data(socket)
        execute("mutation { logout }", by=token)
        rest_of(socket)
    with event_stream(shared_server, token := log_in(execute, name), ME) as response:
        events = events_in(response)
        next(events)
        execute("mutation { logout }", by=token)
        list(events)

    for line in (
        "WEBSOCKET /graphql 200 subscription Watch UNAUTHENTICATED 1 events",
        "POST /graphql 200 subscription me UNAUTHENTICATED 1 events",
    ):
        # It is written after the client has the end.
        wait_until(lambda line=line: line in shared_server.logged())  # type: ignore[misc]
