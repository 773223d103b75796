"""The log of a server: a line a request, in both formats, without secrets or forged lines."""

import json
import logging
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from api.middleware.request_context import RequestContextMiddleware
from api.middleware.request_limits import MAX_BODY_BYTES
from api.telemetry.logs import JsonLines, Stream, TextLines, log_request
from api.telemetry.observers import RequestObservers
from api.telemetry.request import RequestRecord
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import LOGIN, REFRESH, REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, free_port, running_server

PASSWORD = "hunter2hunter2"
EMAIL = "countess@example.com"
NAME = "Countess"

MADE_UP_IDS: list[Any] = [
    "x" * 129,
    "two words",
    '"},{"level": "ERROR"',
    "\u2028".encode(),
    "ünknown".encode(),
]


@dataclass
class Run:
    """The responses of a server by their request ids, and the log that it wrote."""

    secrets: set[str]
    responses: dict[str, httpx.Response]
    log: str = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    def of(self, request_id: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("request_id") == request_id]

    def only(self, request_id: str) -> dict[str, Any]:
        [line] = self.of(request_id)
        return line


def send_requests(server: Server, database: Path) -> Run:
    run = Run({PASSWORD, "hunter2", EMAIL, NAME}, {})

    def send(name: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"X-Request-ID": name, **options.pop("headers", {})}
        response = httpx.request(method, server.url + path, headers=headers, **options)
        run.responses[name] = response
        return response

    def graphql(name: str, document: str, bearer: str = "", **variables: str) -> Any:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        body = {"query": document, "variables": variables}
        return send(name, "POST", "/graphql", json=body, headers=headers).json()

    ada = {"username": NAME, "email": EMAIL, "password": PASSWORD}
    registered = graphql("register", REGISTER, **ada)["data"]["register"]
    token = registered["accessToken"]
    graphql("login", LOGIN, username=EMAIL, password=PASSWORD)
    graphql("wrong", LOGIN, username=EMAIL, password=f"not {PASSWORD}")
    graphql("me", "query WhoAmI { me { id } posts { edges { cursor } } }", token)
    graphql("stolen", "{ me { id } }", token[:-4] + "AAAA")
    graphql("unparsed", f'mutation {{ login(username: "{NAME}", password: "{PASSWORD}')
    graphql("invalid", f'mutation {{ login(username: "{NAME}", pass: {PASSWORD}) {{ x }} }}')
    graphql("long", "query " + "A" * 5_000 + " { __typename }")
    refreshed = graphql(
        "refresh",
        REFRESH,
        token=registered["refreshToken"],
    )["data"]["refresh"]
    run.secrets |= {
        token,
        *registered["refreshToken"].split("."),
        refreshed["accessToken"],
        refreshed["refreshToken"],
    }
    page = {"Origin": server.url, "Gatehouse-Session": "cookie"}
    kept = {"query": LOGIN, "variables": {"username": NAME, "password": PASSWORD}}
    for name in ("cookie", "cookie-refreshed"):
        cookie = send(name, "POST", "/graphql", json=kept, headers=page).headers["Set-Cookie"]
        page["Cookie"] = cookie.partition(";")[0]
        run.secrets.add(page["Cookie"].partition("=")[2])
        kept = {"query": REFRESH, "variables": {"token": "cookie"}}
    send("get", "GET", "/graphql", params={"query": f'{{ user(id: "{PASSWORD}") {{ id }} }}'})
    form = {"grant_type": "password", "username": NAME, "password": PASSWORD}
    run.secrets.add(send("token", "POST", "/token", data=form).json()["access_token"])
    send("token-wrong", "POST", "/token", data=form | {"password": f"no {PASSWORD}"})
    send("token-query", "POST", f"/token?password={PASSWORD}", data={"grant_type": PASSWORD})
    send("userinfo", "GET", "/userinfo", headers={"Authorization": f"Bearer {token}"})
    send("revoke", "POST", "/revoke", data={"token": registered["refreshToken"]})
    send("missing", "GET", f"/{PASSWORD}%0A%1b[31m/nothing?email={EMAIL}")
    send("method", "PROPFIND", "/graphql", content=PASSWORD)
    send("too-large", "POST", "/graphql", content=b"#" * (MAX_BODY_BYTES + 1), headers=JSON)
    send("no-json", "POST", "/graphql", content=f"{{{PASSWORD}", headers=JSON)
    send("docs", "GET", "/docs")
    send("file", "GET", "/docs/assets/start.js")
    preflight = {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
    send("preflight", "OPTIONS", "/graphql", headers=preflight)
    for number, made_up in enumerate(MADE_UP_IDS):
        name = f"made-up-{number}"
        run.responses[name] = httpx.get(server.url, headers={"X-Request-ID": made_up})
    disconnect_early(server)
    execute_over_websocket(server, token)
    with closing(sqlite3.connect(database)) as broken:
        broken.execute("ALTER TABLE users RENAME COLUMN username TO login")
    graphql("masked", "{ me { id } }", refreshed["accessToken"])
    send("masked-rest", "POST", "/token", data=form)
    return run


JSON = {"Content-Type": "application/json"}


def disconnect_early(server: Server) -> None:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 80)) as raw:
        raw.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Request-ID: left\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
    # When this is answered, the server has noticed the disconnect.
    httpx.get(f"{server.url}/health/live")


def execute_over_websocket(server: Server, token: str) -> None:
    address = server.url.replace("http", "ws") + f"/graphql?token={PASSWORD}"
    protocol = Subprotocol("graphql-transport-ws")
    with connect(address, subprotocols=[protocol], additional_headers={"X-Request-ID": "ws"}) as ws:
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        ws.send(json.dumps(init))
        ws.recv(TIMEOUT_SECONDS)
        for id, query in (("1", "query Mine { me { id } }"), ("2", "{ nothing }")):
            ws.send(json.dumps({"type": "subscribe", "id": id, "payload": {"query": query}}))
            ws.recv(TIMEOUT_SECONDS)
            if id == "1":
                ws.recv(TIMEOUT_SECONDS)


def run_of(template: Path, folder: Path, **settings: str) -> Run:
    port = free_port()
    settings |= {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with running_server(copy_of(template, folder), SECRET_KEY, folder, **settings) as server:
        run = send_requests(server, folder / "gatehouse.db")
    run.log = server.logged()
    return run


@pytest.fixture(scope="module")
def json_run(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(migrated_sqlite, tmp_path_factory.mktemp("json"), ENVIRONMENT="production")


@pytest.fixture(scope="module")
def text_run(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(migrated_sqlite, tmp_path_factory.mktemp("text"))


@pytest.fixture(params=["json_run", "text_run"])
def run(request: pytest.FixtureRequest) -> Run:
    run: Run = request.getfixturevalue(request.param)
    return run


def test_no_secret_is_in_it(run: Run) -> None:
    assert "mutation" in run.log
    assert [secret for secret in run.secrets if secret in run.log] == []


def test_there_is_one_line_for_each_request(run: Run) -> None:
    named = [name for name in run.responses if not name.startswith("made-up")]
    lines = [line for line in run.log.splitlines() if " ms" in line]
    found = {
        name: sum(f"[{name}]" in line or f'"request_id": "{name}"' in line for line in lines)
        for name in named
    }

    assert found == dict.fromkeys(named, 1)


def test_no_line_moves_a_cursor_or_ends_another(run: Run) -> None:
    assert all(c.isprintable() or c == "\n" for c in run.log)
    assert run.log.splitlines() == run.log.rstrip("\n").split("\n")


def test_in_production_every_line_is_an_object(json_run: Run) -> None:
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in json_run.lines)


def test_an_operation_is_named_by_its_document(json_run: Run) -> None:
    line = json_run.only("me")

    assert line["logger"] == "gatehouse.access"
    assert (line["operation_type"], line["operation_name"]) == ("query", "WhoAmI")
    assert line["fields"] == ["me", "posts"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/graphql", 200)
    assert 0 < line["duration_ms"] < 10_000
    assert line["ip"] == "127.0.0.1"
    assert len(line["user_id"]) == 36
    assert len(json_run.only("long")["operation_name"]) == 64


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("wrong", 200, "INVALID_CREDENTIALS"),
        ("stolen", 200, "UNAUTHENTICATED"),
        ("unparsed", 200, "GRAPHQL_PARSE_FAILED"),
        ("invalid", 200, "GRAPHQL_VALIDATION_FAILED"),
        ("token-wrong", 400, "INVALID_CREDENTIALS"),
        ("token-query", 400, "unsupported_grant_type"),
        ("missing", 404, "invalid_request"),
        ("method", 405, "INVALID_INPUT"),
        ("too-large", 413, "INVALID_INPUT"),
        ("no-json", 400, "INVALID_INPUT"),
    ],
)
def test_an_error_has_its_code(json_run: Run, name: str, status: int, code: str) -> None:
    line = json_run.only(name)

    assert (line["status"], line["codes"]) == (status, [code])


def test_a_route_is_a_template_or_none(json_run: Run) -> None:
    assert "route" not in json_run.only("missing")
    assert json_run.only("token")["route"] == "/token"
    assert json_run.only("docs")["route"] == "/docs"
    assert json_run.only("file")["route"] == "/docs/assets"
    assert json_run.only("preflight")["route"] == "/graphql"
    assert json_run.only("method")["method"] == "OTHER"


def test_who_called_a_route_is_there_too(json_run: Run) -> None:
    assert json_run.only("userinfo")["user_id"] == json_run.only("me")["user_id"]
    assert "user_id" not in json_run.only("stolen")


def test_who_left_before_the_answer_has_a_line(json_run: Run) -> None:
    assert json_run.only("left")["status"] == 499


def test_each_operation_of_a_websocket_has_a_line(json_run: Run) -> None:
    socket, first, second = (json_run.only(id) for id in ("ws", "ws.1", "ws.2"))

    assert (socket["method"], socket["route"], socket["status"]) == ("WEBSOCKET", "/graphql", 101)
    assert (first["operation_name"], first["status"]) == ("Mine", 200)
    assert first["user_id"] == json_run.only("me")["user_id"]
    assert second["codes"] == ["GRAPHQL_VALIDATION_FAILED"]


def test_a_harmless_request_id_comes_back(json_run: Run) -> None:
    named = {name: r for name, r in json_run.responses.items() if not name.startswith("made-up")}

    assert {name: r.headers["X-Request-ID"] for name, r in named.items()} == dict(
        zip(named, named, strict=True)
    )


def test_another_one_is_replaced(json_run: Run) -> None:
    for number, made_up in enumerate(MADE_UP_IDS):
        [id] = json_run.responses[f"made-up-{number}"].headers.get_list("X-Request-ID")

        assert id != made_up
        assert json_run.only(id)["status"] == 404


def test_a_masked_error_names_the_line_with_its_traceback(json_run: Run) -> None:
    [error] = json_run.responses["masked"].json()["errors"]
    cause, access = json_run.of(error["extensions"]["requestId"])

    assert cause["level"] == "ERROR"
    assert "current_user.py" in cause["traceback"]
    assert access["codes"] == ["INTERNAL_ERROR"]


def test_a_masked_answer_of_a_route_does_too(json_run: Run) -> None:
    description = json_run.responses["masked-rest"].json()["error_description"]
    cause, access = json_run.of("masked-rest")

    assert "masked-rest" in description
    assert "password.py" in cause["traceback"]
    assert access["status"] == 500


def test_plain_uvicorn_logs_no_query_string_either(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Its log is its own: only `gatehouse serve` configures one."""
    url = copy_of(migrated_sqlite, tmp_path)
    port = free_port()
    uvicorn = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "api.app:create_app",
        "--port",
        str(port),
    ]
    with running_server(
        url, SECRET_KEY, tmp_path, uvicorn, PORT=str(port), ENVIRONMENT="production"
    ) as server:
        httpx.get(f"{server.url}/token?password={PASSWORD}")
        httpx.get(f"{server.url}/graphql", params={"query": f'{{ login(password: "{PASSWORD}") }}'})
        with connect(f"{server.url.replace('http', 'ws')}/graphql?token={PASSWORD}"):
            pass
    logged = server.logged()

    assert '"GET /token HTTP/1.1" 405' in logged
    assert '"GET /graphql HTTP/1.1" 200' in logged
    assert '"WebSocket /graphql" [accepted]' in logged
    assert "hunter2" not in logged


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_what_a_client_sent_stays_within_a_message(formatter: logging.Formatter) -> None:
    sent = 'a\n{"level": "ERROR"}\r\x1b[31m\x00\u2028\u202e\x85\ud800'
    record = logging.LogRecord("gatehouse", logging.INFO, "", 0, "Hello %s", (sent,), None)

    line = formatter.format(record)
    assert line.isprintable()
    assert line.splitlines() == [line]


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_the_text_of_an_error_is_not_logged(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(PASSWORD)
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "Failed", None, info)

    line = formatter.format(record)
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert line.count("hunter2") == 0


def test_what_asyncio_says_of_a_failed_task_is_cut() -> None:
    says = f"Task exception was never retrieved\nfuture: <Task exception=ValueError({PASSWORD!r})>"
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, says, None, None)

    assert "never retrieved" in JsonLines().format(record)
    assert "hunter2" not in JsonLines().format(record)


@pytest.fixture
def full_disk() -> Iterator[logging.Handler]:
    with open("/dev/full", "w") as full:
        handler = Stream(full)
        access = logging.getLogger("gatehouse.access")
        access.addHandler(handler)
        access.setLevel(logging.INFO)
        yield handler
        access.removeHandler(handler)
        access.setLevel(logging.NOTSET)
        handler.stream = None
        with pytest.raises(OSError, match="No space"):
            full.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_that_cannot_be_written_fails_nobody(
    full_disk: logging.Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    log_request(RequestRecord(request_id="r1", status=200))

    assert capsys.readouterr().err == ""


def test_a_level_leaves_out_what_is_below_it(migrated_sqlite: Path, tmp_path: Path) -> None:
    url = copy_of(migrated_sqlite, tmp_path)
    with running_server(url, SECRET_KEY, tmp_path, LOG_LEVEL="ERROR") as server:
        assert httpx.get(f"{server.url}/nothing").status_code == 404

    assert server.logged() == ""


async def test_what_fails_outside_of_everything_is_a_line_too() -> None:
    ended: list[RequestRecord] = []

    async def fail(*_: object) -> None:
        raise RuntimeError

    async def nothing(*_: object) -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "headers": []}
    with pytest.raises(RuntimeError):
        await RequestContextMiddleware(fail, RequestObservers([ended.append]))(
            scope, nothing, nothing
        )

    assert [record.status for record in ended] == [500]
