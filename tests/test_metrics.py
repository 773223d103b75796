"""The metrics for Prometheus. Clients cannot add series."""

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.telemetry import exporter
from api.telemetry.metrics import Metrics, of_this_process
from domain.authentication.password import log_in
from domain.deadline import within
from domain.errors import Unavailable
from domain.observer import DeliveryOutcome
from domain.passwords.hashing import SLOTS_PER_THREAD, HashingQueue
from domain.services import Services
from domain.sessions import LoginMethod
from domain.subscriptions import Subscriptions
from settings import Settings
from tests.conftest import SECRET_KEY, settings_for
from tests.databases import copy_of
from tests.hashing import hash_password
from tests.operations import LOGIN, REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, free_port, running_server, wait_until
from tests.users import THIS_DEVICE

pytestmark = pytest.mark.any_database

ADA = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}


@dataclass(frozen=True)
class MeteredServer:
    """A server with metrics, and the port that serves them."""

    server: Server
    port: int

    def execute(self, document: str, token: str = "", **variables: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        return httpx.post(
            f"{self.server.url}/graphql", json=body, headers=headers, timeout=TIMEOUT_SECONDS
        )

    def series(self) -> dict[tuple[str, ...], float]:
        """Return the value of each series, by its name and the values of its labels."""
        return read(self.port)

    def value(self, *series: str) -> float:
        return self.series().get(series, 0)


def read(port: int) -> dict[tuple[str, ...], float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def metered_server(database: Path, folder: Path, **settings: str) -> Iterator[MeteredServer]:
    port = free_port()
    url = copy_of(database, folder)
    with running_server(url, SECRET_KEY, folder, METRICS_PORT=str(port), **settings) as server:
        yield MeteredServer(server, port)


@pytest.fixture(scope="module")
def counted(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MeteredServer]:
    with metered_server(migrated_sqlite, tmp_path_factory.mktemp("metrics")) as counted:
        yield counted


@pytest.fixture(scope="module")
def token(counted: MeteredServer) -> str:
    token: str = counted.execute(REGISTER, **ADA).json()["data"]["register"]["accessToken"]
    return token


def requests(code: str, operation: str) -> tuple[str, str, str]:
    return ("gatehouse_requests_total", code, operation)


def test_requests_are_counted_by_what_they_asked_for_and_what_came_of_it(
    counted: MeteredServer, token: str
) -> None:
    before = counted.series()
    counted.execute("query Me { me { id } again: me { id } }", token)
    counted.execute("{ me { id } }")
    counted.execute("{ me { id } posts { edges { cursor } } }", token)
    httpx.post(f"{counted.server.url}/token", data={"grant_type": "nothing"})
    httpx.get(f"{counted.server.url}/health/live")
    httpx.get(f"{counted.server.url}/nothing")
    series = (
        requests("OK", "me"),
        requests("UNAUTHENTICATED", "me"),
        requests("OK", "several"),
        requests("unsupported_grant_type", "POST /token"),
        requests("OK", "GET /health/live"),
        requests("invalid_request", "unknown"),
    )
    wait_until(lambda: [counted.value(*s) - before.get(s, 0) for s in series] == [1] * 6)

    assert counted.value("gatehouse_request_duration_seconds_count", "me") >= 2


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{n}: me {{ id }}" for n in range(60)) + " }", "QUERY_TOO_COSTLY"),
    ],
)
def test_refused_documents_are_counted(counted: MeteredServer, document: str, code: str) -> None:
    before = counted.value("gatehouse_documents_refused_total", code)
    counted.execute(document)

    wait_until(lambda: counted.value("gatehouse_documents_refused_total", code) == before + 1)


def test_a_client_makes_no_new_series(counted: MeteredServer, token: str) -> None:
    with httpx.Client(base_url=counted.server.url) as client:

        def send_made_up_names(n: int) -> None:
            client.post("/graphql", json={"query": f"query Made{n} {{ up{n}: __typename }}"})
            client.post("/graphql", json={"query": f"{{ nothing{n} }}", "operationName": f"N{n}"})
            client.request(f"MADE{n}" if n == 0 else "GET", f"/made/up/{n}?of={n}")
            client.post(f"/token?made={n}", data={"grant_type": f"made-up-{n}"})

        send_made_up_names(1)
        send_made_up_names(2)
        wait_until(lambda: counted.value(*requests("OK", "__typename")) == 2)
        before = counted.series().keys()
        for n in range(100):
            send_made_up_names(n)
        wait_until(lambda: counted.value(*requests("OK", "__typename")) == 102)

    assert counted.series().keys() - before == set()


def test_logins_are_counted_by_outcome_whichever_way_they_come(
    counted: MeteredServer, token: str
) -> None:
    before = counted.series()
    counted.execute(LOGIN, username="Ada", password=ADA["password"])
    counted.execute(
        'mutation { a: login(username: "Ada", password: "wrong one") { expiresIn }'
        ' b: login(username: "Nobody", password: "wrong one") { expiresIn } }'
    )
    counted.execute('mutation { login(username: "Nobody", password: "wrong one") { expiresIn } }')
    form = {"grant_type": "password", "username": "ada", "password": ADA["password"]}
    httpx.post(f"{counted.server.url}/token", data=form)
    httpx.post(f"{counted.server.url}/token", data=form | {"password": "wrong one"})

    def since(outcome: str) -> float:
        series = [("gatehouse_logins_total", method, outcome) for method in LoginMethod]
        return sum(counted.value(*one) - before.get(one, 0) for one in series)

    assert since("OK") == 2
    # Of several logins in one document, those after the first error do not run.
    assert since("INVALID_CREDENTIALS") == 3


def test_they_are_not_on_the_public_port(counted: MeteredServer) -> None:
    assert httpx.get(f"{counted.server.url}/metrics").status_code == 404


def test_the_process_is_measured(counted: MeteredServer) -> None:
    assert counted.value("process_resident_memory_bytes") > 10_000_000
    assert counted.value("process_open_fds") > 3


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def queue(metrics: Metrics) -> Iterator[HashingQueue]:
    queue = HashingQueue(memory_kib=8, time_cost=1, parallelism=1, threads=1, observer=metrics)
    yield queue
    queue.close()


@asynccontextmanager
async def all_slots_taken(queue: HashingQueue) -> AsyncIterator[None]:
    async with AsyncExitStack() as slots:
        for _ in range(SLOTS_PER_THREAD):
            await slots.enter_async_context(queue.slot())
        yield


async def test_a_login_that_took_too_long_is_counted_too(
    services: Services, metrics: Metrics, queue: HashingQueue
) -> None:
    services = replace(services, hashing_queue=queue, observer=metrics)
    async with all_slots_taken(queue):
        with pytest.raises(Unavailable):
            await within(
                timedelta(milliseconds=1),
                log_in(
                    services,
                    THIS_DEVICE,
                    login="Nobody",
                    password="wrong one",
                    method=LoginMethod.LOGIN,
                ),
            )
        # The work is cancelled after that.
        await asyncio.sleep(0)

    labels = {"method": "LOGIN", "outcome": "UNAVAILABLE"}
    assert metrics.registry.get_sample_value("gatehouse_logins_total", labels) == 1


async def test_the_queue_of_hashes_is_seen_to_grow_and_to_end(
    services: Services, metrics: Metrics, queue: HashingQueue
) -> None:
    services = replace(services, hashing_queue=queue)
    value = metrics.registry.get_sample_value
    async with all_slots_taken(queue):
        waiting = [asyncio.create_task(hash_password(queue, "wrong one")) for _ in range(5)]
        await asyncio.sleep(0)
        async with metrics.sampling(services, Subscriptions(services.database)):
            await asyncio.sleep(0)
            assert value("gatehouse_hashing_queue") == 5
    await asyncio.gather(*waiting)
    async with metrics.sampling(services, Subscriptions(services.database)):
        await asyncio.sleep(0)
        assert value("gatehouse_hashing_queue") == 0

    assert value("gatehouse_hashing_wait_seconds_count") == SLOTS_PER_THREAD + 5
    assert value("gatehouse_hashing_wait_seconds_sum") > 0  # type: ignore[operator]


async def test_connections_in_use_and_who_waits_for_one_are_seen(
    services: Services, metrics: Metrics
) -> None:
    def value(to: str, state: str) -> float | None:
        labels = {"to": to, "state": state}
        return metrics.registry.get_sample_value("gatehouse_database_connections", labels)

    async with (
        services.database.reading(),
        metrics.sampling(services, Subscriptions(services.database)),
    ):
        await asyncio.sleep(0)

        assert (value("read", "taken"), value("write", "taken")) == (1, 0)
    async with metrics.sampling(services, Subscriptions(services.database)):
        await asyncio.sleep(0)

        assert (value("read", "taken"), value("read", "waiting")) == (0, 0)


def test_mails_are_counted_by_outcome_and_the_oldest_is_timed(metrics: Metrics) -> None:
    metrics.mail_ended(DeliveryOutcome.RETRIED)
    metrics.mail_waits(12.5)

    value = metrics.registry.get_sample_value
    assert value("gatehouse_mails_total", {"outcome": "RETRIED"}) == 1
    assert value("gatehouse_mail_wait_seconds") == 12.5


@pytest.fixture
def metrics_settings() -> Settings:
    return settings_for("sqlite:///unused.db", metrics_port=free_port())


def count_in_a_worker(parent: Connection) -> None:
    metrics = of_this_process()
    metrics.sign_in_ended("LOGIN", "OK")
    metrics._queued.set(3)
    parent.send("counted")
    parent.recv()


def test_workers_are_counted_together_and_their_queues_end_with_them(
    metrics_settings: Settings,
) -> None:
    spawn = multiprocessing.get_context("spawn")
    port = metrics_settings.metrics_port or 0
    with exporter.serving_metrics(metrics_settings, workers=2):
        workers = []
        for _ in range(2):
            ours, theirs = spawn.Pipe()
            worker = spawn.Process(target=count_in_a_worker, args=(theirs,))
            worker.start()
            # The worker has the only other end, so that its death is the end of the pipe.
            theirs.close()
            assert ours.poll(TIMEOUT_SECONDS)
            assert ours.recv() == "counted"
            workers.append((worker, ours))
        both = read(port)
        ended, its_end = workers[0]
        its_end.send("end")
        ended.join(TIMEOUT_SECONDS)
        exporter.forget(ended.pid or 0)
        one = read(port)
        workers[1][1].send("end")
        workers[1][0].join(TIMEOUT_SECONDS)

    assert both["gatehouse_logins_total", "LOGIN", "OK"] == 2
    assert both["gatehouse_hashing_queue",] == 6
    assert {key[1] for key in both if key[0] == "process_open_fds"} == {
        str(worker.pid) for worker, _ in workers
    }
    assert one["gatehouse_logins_total", "LOGIN", "OK"] == 2
    assert one["gatehouse_hashing_queue",] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is one worker")
def test_a_worker_that_was_killed_is_forgotten_and_what_it_has_counted_is_not(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with metered_server(migrated_sqlite, tmp_path, WORKERS="2") as counted:

        def workers() -> set[str]:
            return {key[1] for key in counted.series() if key[0] == "process_open_fds"}

        wait_until(lambda: len(workers()) == 2)
        before = workers()
        for _ in range(10):
            counted.execute("{ me { id } }")
        wait_until(lambda: counted.value(*requests("UNAUTHENTICATED", "me")) == 10)
        killed = before.pop()
        os.kill(int(killed), signal.SIGKILL)
        wait_until(lambda: killed not in workers() and len(workers()) == 2)

        assert counted.value(*requests("UNAUTHENTICATED", "me")) == 10
    assert list(exporter.IN_MEMORY.glob(f"*-{counted.server.process.pid}-*")) == []


def test_a_prometheus_that_hangs_up_leaves_a_line_in_the_log(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with metered_server(migrated_sqlite, tmp_path, LOG_FORMAT="json") as counted:
        with socket.create_connection(("127.0.0.1", counted.port)) as prometheus:
            prometheus.sendall(b"GET /metrics HTTP/1.1\r\n")
            # With these options, closing the socket resets the connection.
            prometheus.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: "ConnectionResetError" in counted.server.logged())

    lines = [json.loads(line) for line in counted.server.logged().splitlines()]
    assert "A request of Prometheus failed." in [line["message"] for line in lines]


def test_a_port_that_is_taken_is_said_in_a_line(metrics_settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", metrics_settings.metrics_port or 0)),
        pytest.raises(SystemExit, match="METRICS_PORT cannot be listened on"),
        exporter.serving_metrics(metrics_settings),
    ):
        pass


def serve_metrics_and_be_killed(folder: Path) -> None:
    """Run a parent of workers that leaves the folder of its metrics behind."""
    program = f"""
import os
from pathlib import Path
from api.telemetry import exporter
from settings import Settings
exporter.IN_MEMORY = Path({str(folder)!r})
with exporter.serving_metrics(Settings(secret_key="k" * 32, metrics_port={free_port()}), 2):
    os.kill(os.getpid(), 9)
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, timeout=TIMEOUT_SECONDS
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def test_what_a_killed_process_has_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "IN_MEMORY", tmp_path)
    (tmp_path / "gatehouse-metrics-link").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "gatehouse-metrics-pipe")
    others = tmp_path / "of another program"
    others.mkdir()
    serve_metrics_and_be_killed(tmp_path)
    left = set(tmp_path.glob("gatehouse-metrics-*-*"))
    with exporter.serving_metrics(settings_for("sqlite:///x.db", metrics_port=free_port()), 2):
        (ours,) = set(tmp_path.glob("gatehouse-metrics-*-*"))
        serve_metrics_and_be_killed(tmp_path)
        # One that still runs keeps its own.
        assert ours.exists()

    assert len(left) == 1
    assert not left & set(tmp_path.iterdir())
    assert not ours.exists()
    assert others.exists()
    assert tmp_path.exists()
