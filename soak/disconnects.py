"""Clients that disconnect in the middle of a mutation, at a random moment.

The server must not leak files or database connections, must not write half of a mutation, and must
serve the other clients afterwards.
"""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from soak import invariants
from soak.audited_clients import (
    OK,
    PASSWORD,
    PUBLISH,
    AuditedClient,
    Outcomes,
    audited_clients,
    disconnect,
    register_all,
)
from soak.figures import Figures
from soak.raw_client import RawClient, graphql_request
from soak.resource_usage import resource_usage
from soak.server_settings import SECRET_KEY
from tests.operations import REGISTER
from tests.servers import running_server

CLIENTS = 32
MAX_CONNECTIONS = 20
DRAIN_SECONDS = 30

# The database pool opens its connections when they are first needed.
MAX_ADDITIONAL_FILES = 4


async def disconnects(
    url: str,
    folder: Path,
    *,
    number: int,
    connections: Callable[[], int] = int,
    port: int = 0,
) -> Figures:
    """Abort ``number`` requests, in CLIENTS concurrent series.

    ``connections`` returns the server's connections to its database, where they can be counted.
    """
    figures, outcomes = Figures(), Outcomes()
    with (
        running_server(url, SECRET_KEY, folder, PORT=str(port)) as server,
        audited_clients(server.url, CLIENTS) as clients,
    ):
        await register_all(clients)
        typical_seconds = await _publish_all(clients, outcomes)
        disconnect(clients)
        files, connections_before = resource_usage(server.process.pid).files, connections()
        aborts = number // CLIENTS
        await asyncio.gather(*(_abort_requests(each, aborts, typical_seconds) for each in clients))
        await _wait_for_aborted_requests(clients[0])
        await _publish_all(clients, outcomes)
        disconnect(clients)
        await asyncio.sleep(1)  # until the server has seen the disconnects
        figures.record("aborted requests", aborts * CLIENTS)
        figures.none("failed writes of clients that stayed", outcomes.other_than(OK))
        figures.at_most(
            "additional open files afterwards",
            resource_usage(server.process.pid).files - files,
            MAX_ADDITIONAL_FILES,
        )
        figures.at_most(
            "database connections afterwards",
            connections(),
            max(connections_before, MAX_CONNECTIONS),
        )
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
    await invariants.check(url, clients, figures)
    return figures


async def _publish_all(clients: list[AuditedClient], outcomes: Outcomes) -> float:
    """Publish a post from each client at once, and return the seconds until the last response."""
    began = time.monotonic()
    for outcome in await asyncio.gather(*(client.publish() for client in clients)):
        outcomes.counts[outcome] += 1
    return time.monotonic() - began


async def _abort_requests(author: AuditedClient, times: int, typical_seconds: float) -> None:
    for _ in range(times):
        client = RawClient(author.raw.url)
        _, writer = await client.connect()
        writer.write(random.choice([_registration(), _publication(author)]))
        await asyncio.sleep(random.expovariate(1 / typical_seconds))
        client.abort()


async def _wait_for_aborted_requests(client: AuditedClient) -> None:
    """Publish until it succeeds: the server completes the aborted requests in its queue first."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while await client.publish() != OK:
            continue


def _registration() -> bytes:
    name = f"v{uuid4().hex[:16]}"
    return graphql_request(REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)


def _publication(author: AuditedClient) -> bytes:
    post = {"title": "Aborted", "content": "Its client disconnects before the response."}
    return graphql_request(PUBLISH, by=author.access_token, input=post)
