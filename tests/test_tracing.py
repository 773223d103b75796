"""The traces that a collector receives by OTLP, which are sent only when they are configured."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from api.telemetry import tracing
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, running_server

PASSWORD = "hunter2hunter2"
ADA = {"username": "Countess", "email": "countess@example.com", "password": PASSWORD}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Keeps the spans it receives, as raw bytes and parsed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received = b""
        self.log = ""
        self.services: set[str] = set()
        self.spans: list[Span] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace_id.hex() == trace]


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received += body
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = [
                a.value.string_value for a in sent.resource.attributes if a.key == "service.name"
            ]
            self.server.services.update(names)
            for scope in sent.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join(TIMEOUT_SECONDS)


@contextmanager
def traced_server(database: Path, folder: Path, **variables: str) -> Iterator[Server]:
    """Run a server. By its exit it has sent every span."""
    url = copy_of(database, folder)
    settings = {"LOG_FORMAT": "json", **variables}
    with running_server(url, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def traced(
    collector: Collector, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Collector:
    """Return the collector after a server has sent it the spans of these requests."""
    folder = tmp_path_factory.mktemp("traced")
    on = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    with traced_server(migrated_sqlite, folder, **on) as server:
        registered = send(server, REGISTER, **ADA)["register"]
        send(server, "query Mine { me { id } }", registered["accessToken"], trace=TRACE)
        httpx.get(f"{server.url}/{PASSWORD}?email={ADA['email']}")
        httpx.get(
            f"{server.url}/graphql", params={"query": f'{{ user(id: "{PASSWORD}") {{ id }} }}'}
        )
        form = {"grant_type": "password", "username": "Countess", "password": PASSWORD}
        httpx.post(f"{server.url}/token?password={PASSWORD}", data=form)
        execute_over_websocket(server, registered["accessToken"])
    collector.log = server.logged()
    return collector


def send(
    server: Server, document: str, token: str = "", trace: str = "", **variables: str
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if trace:
        headers["traceparent"] = f"00-{trace}-{PARENT}-01"
    body = {"query": document, "variables": variables}
    data: dict[str, Any] = httpx.post(f"{server.url}/graphql", json=body, headers=headers).json()[
        "data"
    ]
    return data


def execute_over_websocket(server: Server, token: str) -> None:
    protocol = Subprotocol("graphql-transport-ws")
    address = server.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[protocol]) as ws:
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        ws.send(json.dumps(init))
        ws.recv(TIMEOUT_SECONDS)
        payload = {"query": "query OverTheSocket { me { id } }"}
        ws.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        ws.recv(TIMEOUT_SECONDS)
        ws.recv(TIMEOUT_SECONDS)


def attributes(span: Span) -> dict[str, Any]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_request_is_a_span_within_its_callers(traced: Collector) -> None:
    [request] = [span for span in traced.of(TRACE) if span.kind == Span.SPAN_KIND_SERVER]

    assert request.parent_span_id.hex() == PARENT
    assert request.name == "POST /graphql"
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "client.address": "127.0.0.1",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Mine",
    }


def test_a_statement_is_a_span_within_its_request(traced: Collector) -> None:
    [request] = [span for span in traced.of(TRACE) if span.kind == Span.SPAN_KIND_SERVER]
    [statement] = [span for span in traced.of(TRACE) if span.kind == Span.SPAN_KIND_CLIENT]

    assert statement.parent_span_id == request.span_id
    assert statement.name == "SELECT"
    assert attributes(statement)["db.system.name"] == "sqlite"
    assert "FROM sessions" in attributes(statement)["db.query.text"]


def test_an_operation_of_a_websocket_is_a_span_within_it(traced: Collector) -> None:
    spans = {attributes(span).get("graphql.operation.name"): span for span in traced.spans}
    operation = spans["OverTheSocket"]
    [socket] = [span for span in traced.spans if span.name == "WEBSOCKET /graphql"]

    assert operation.name == "query"
    assert operation.parent_span_id == socket.span_id


def test_a_path_of_no_route_is_in_no_name(traced: Collector) -> None:
    assert {span.name for span in traced.spans if span.kind == Span.SPAN_KIND_SERVER} == {
        "POST /graphql",
        "GET",
        "GET /graphql",
        "POST /token",
        "WEBSOCKET /graphql",
        "query",
    }


def test_no_secret_is_sent(traced: Collector) -> None:
    sent = traced.received.decode("latin-1")

    assert traced.services == {"gatehouse"}
    assert [secret for secret in ("hunter2", "countess", "Countess", "eyJ") if secret in sent] == []


def test_the_log_names_the_trace(traced: Collector) -> None:
    lines = [json.loads(line) for line in traced.log.splitlines()]

    assert [line["operation_name"] for line in lines if line.get("trace_id") == TRACE] == ["Mine"]


def test_a_fault_of_ours_is_an_error(
    collector: Collector, migrated_sqlite: Path, tmp_path: Path
) -> None:
    on = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
        "OTEL_SERVICE_NAME": "accounts",
    }
    trace = "1" * 32
    with traced_server(migrated_sqlite, tmp_path, **on) as server:
        (tmp_path / "gatehouse.db").write_bytes(b"no database" * 1000)
        send(server, '{ user(id: "0197a3a0-0000-7000-8000-000000000000") { id } }', trace=trace)

    [request] = [span for span in collector.of(trace) if span.kind == Span.SPAN_KIND_SERVER]
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert attributes(request)["error.type"] in ("INTERNAL_ERROR", "UNAVAILABLE")
    assert "accounts" in collector.services


def test_a_collector_that_is_not_available_delays_no_end(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    unavailable = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with traced_server(migrated_sqlite, tmp_path, **unavailable) as server:
        send(server, "{ __typename }")
        stopped_at = time.monotonic()

    assert time.monotonic() - stopped_at < tracing.TIMEOUT.total_seconds() + TIMEOUT_SECONDS
    assert "Traceback" not in server.logged()


@pytest.mark.parametrize(
    ("variables", "are_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
    ],
)
def test_the_standard_variables_decide(variables: dict[str, str], are_on: bool) -> None:
    assert tracing.are_on(variables) is are_on
