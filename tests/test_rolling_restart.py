"""Servers that are replaced behind the proxies of deploy/ while clients send requests.

They are processes, as no container runs here: `deploy/upgrade.sh` does the same with containers.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests import databases
from tests.conftest import SECRET_KEY
from tests.operations import CREATE_POST, REGISTER
from tests.paths import ROOT
from tests.proxies import (
    HAPROXY,
    NAME,
    PROXIES,
    Balancer,
    running,
    running_balancer,
)
from tests.servers import TIMEOUT_SECONDS, free_port, running_server, wait_until

POSTS = """
query Titles($after: String) {
  posts(first: 100, after: $after) {
    edges { node { title } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
CLIENTS = 4
ADA = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}

Connect = Callable[[], httpx.Client]


@dataclass
class Servers:
    """Servers on one database, by their ports."""

    database_url: str
    folder: Path
    stops: dict[int, ExitStack] = field(default_factory=dict)

    def start(self, port: int) -> None:
        # Tokens name PUBLIC_URL, so servers behind one address have the same.
        server = running_server(
            self.database_url,
            SECRET_KEY,
            self.folder,
            PORT=str(port),
            PUBLIC_URL=f"https://{NAME}",
            TRUSTED_PROXIES="127.0.0.1",
        )
        self.stops[port] = ExitStack()
        self.stops[port].enter_context(server)

    def stop(self, port: int) -> None:
        """Stop one gracefully, and wait until it has exited."""
        self.stops.pop(port).close()

    def stop_all(self) -> None:
        for port in tuple(self.stops):
            self.stop(port)


@pytest.fixture
def servers(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(databases.copy_of(migrated_sqlite, tmp_path), tmp_path)
    try:
        yield servers
    finally:
        servers.stop_all()


@dataclass
class Published:
    """What clients were told: the titles of their posts, and everything else."""

    titles: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def publishing(connect: Connect, token: str) -> Iterator[Published]:
    """Create posts with several clients until the block ends."""
    ended, published = Event(), Published()

    def publish(client_number: int) -> None:
        number = 0
        with connect() as client:
            while not ended.wait(0.05):
                title = f"{client_number}-{(number := number + 1)}"
                try:
                    answer = post(
                        client, CREATE_POST, token, input={"title": title, "content": "-"}
                    )
                    assert answer.is_success, answer.status_code
                    assert answer.json()["data"], answer.text
                except (httpx.HTTPError, ValueError, AssertionError) as error:
                    published.refused.append(f"{type(error).__name__}: {str(error)[:99]}")
                else:
                    published.titles.append(title)

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(publish, number) for number in range(CLIENTS)]
        try:
            yield published
        finally:
            ended.set()
    for client in running:
        client.result()


def post(client: httpx.Client, query: str, token: str = "", **variables: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": variables}
    return client.post(
        "/graphql", json=body, headers=headers, extensions={"sni_hostname": NAME}, timeout=15
    )


def register(connect: Connect) -> str:
    with connect() as client:
        token: str = post(client, REGISTER, **ADA).json()["data"]["register"]["accessToken"]
        return token


def titles(connect: Connect) -> list[str]:
    """Return the titles of all posts."""
    found: list[str] = []
    cursor, more = None, True
    with connect() as client:
        while more:
            page = post(client, POSTS, after=cursor).json()["data"]["posts"]
            found += [edge["node"]["title"] for edge in page["edges"]]
            cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found


def test_servers_that_restart_one_after_the_other_refuse_nothing(
    servers: Servers, tmp_path: Path
) -> None:
    if not PROXIES["nginx"]:
        pytest.skip("needs nginx")
    ports = [free_port(), free_port()]
    for port in ports:
        servers.start(port)
    with running("nginx", tmp_path, *(f"127.0.0.1:{port}" for port in ports)) as front:
        with publishing(front.client, register(front.client)) as published:
            for port in ports:
                servers.stop(port)
                servers.start(port)

        assert published.refused == []
        assert sorted(published.titles) == sorted(titles(front.client))


@pytest.fixture
def upgrade(servers: Servers, tmp_path: Path) -> Iterator[tuple[Balancer, list[int]]]:
    """Run two servers behind the balancer, with two free places."""
    if not HAPROXY:
        pytest.skip("needs haproxy")
    ports = [free_port() for _ in range(4)]
    for port in ports[:2]:
        servers.start(port)
    with running_balancer(tmp_path, [f"127.0.0.1:{port}" for port in ports]) as balancer:
        wait_until(lambda: balancer.serving() == 2)
        yield balancer, ports


@pytest.mark.parametrize("kind", PROXIES)
def test_new_servers_replace_the_old_ones_without_a_refused_request(
    kind: str, upgrade: tuple[Balancer, list[int]], servers: Servers, tmp_path: Path
) -> None:
    """As with `compose.yaml`: a proxy with the certificate, the balancer, and the servers."""
    if not PROXIES[kind]:
        pytest.skip(f"needs {kind}")
    balancer, (first, second, third, fourth) = upgrade
    folder = tmp_path / kind
    folder.mkdir()

    with running(kind, folder, balancer.url.removeprefix("http://")) as front:
        with publishing(front.client, register(front.client)) as published:
            servers.start(third)
            servers.start(fourth)
            wait_until(lambda: balancer.serving() == 4)
            servers.stop(first)
            servers.stop(second)
            wait_until(lambda: balancer.serving() == 2)

        assert published.refused == []
        assert sorted(published.titles) == sorted(titles(front.client))


def test_the_load_script_reports_what_was_refused(
    upgrade: tuple[Balancer, list[int]], servers: Servers
) -> None:
    balancer, ports = upgrade

    def load() -> subprocess.CompletedProcess[str]:
        program = [sys.executable, str(ROOT / "deploy/load.py"), f"{balancer.url}/graphql"]
        return subprocess.run(
            [*program, "--seconds", "1"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )

    served = load()
    for port in ports[:2]:
        servers.stop(port)
    refused = load()

    assert (served.returncode, refused.returncode) == (0, 1)
    assert ", 0 refused: {}" in served.stdout
    assert "'503':" in refused.stdout
