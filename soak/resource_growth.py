"""Long traffic, during which memory, files and threads must not grow once the server is warm."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from soak.chaos_clients import ChaosClient
from soak.figures import Figures
from soak.raw_client import RawClient, graphql_request, raw_clients
from soak.resource_usage import ResourceUsage, resource_usage
from soak.server_settings import SECRET_KEY
from tests.servers import running_server

CLIENTS = 12
SAMPLES = 60

SERVER_ERRORS = {"INTERNAL_ERROR", "UNAVAILABLE", "OVERLOADED", "500", "502", "503", "504"}

# From when the server is warm to the end.
MEMORY_MIB_GROWTH = 16.0
FILES_GROWTH = 8.0
THREADS_GROWTH = 2.0
MAX_CONNECTIONS = 20

DOCUMENTS = 100_000
DOCUMENT_CLIENTS = 8
MAX_ALIASES = 50


async def mixed_traffic(
    url: str, folder: Path, *, seconds: float, port: int, connections: Callable[[], int] = int
) -> Figures:
    """Run chaos clients for ``seconds``.

    ``connections`` returns the server's connections to its database, where they can be counted.
    """
    figures, responses, ended = Figures(), Counter[str](), asyncio.Event()
    with running_server(url, SECRET_KEY, folder, PORT=str(port)) as server:
        clients = [ChaosClient(RawClient(server.url), responses) for _ in range(CLIENTS)]
        running = [asyncio.create_task(client.run(ended)) for client in clients]
        samples, peak_connections = [], 0
        for _ in range(SAMPLES):
            await asyncio.wait(running, timeout=seconds / SAMPLES)
            samples.append(resource_usage(server.process.pid))
            peak_connections = max(peak_connections, connections())
        ended.set()
        await asyncio.gather(*running)
        log = server.logged()
    kinds = sorted(responses.items())
    figures.record("duration (minutes)", seconds / 60)
    figures.record("responses", sum(n for kind, n in kinds if kind.isdecimal()))
    figures.record("responses by kind", ", ".join(f"{n} {kind}" for kind, n in kinds))
    figures.none("server errors", {kind: n for kind, n in kinds if kind in SERVER_ERRORS})
    figures.none("tracebacks in the log", log.count("Traceback"))
    check_growth(samples, figures)
    figures.at_most("peak database connections", peak_connections, MAX_CONNECTIONS)
    return figures


async def distinct_documents(
    url: str, folder: Path, *, number: int = DOCUMENTS, port: int
) -> Figures:
    """Send ``number`` distinct documents once each: caches of documents must stay bounded."""
    figures = Figures()
    with (
        running_server(url, SECRET_KEY, folder, PORT=str(port)) as server,
        raw_clients(server.url, DOCUMENT_CLIENTS) as clients,
    ):
        samples, began = [], time.monotonic()
        for sample in range(SAMPLES):
            batch = range(sample * number // SAMPLES, (sample + 1) * number // SAMPLES)
            await asyncio.gather(
                *(
                    _send_documents(client, batch[place::DOCUMENT_CLIENTS])
                    for place, client in enumerate(clients)
                )
            )
            samples.append(resource_usage(server.process.pid))
        figures.record("distinct documents", number)
        figures.record("total time (s)", time.monotonic() - began)
        check_growth(samples, figures)
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
    return figures


async def _send_documents(client: RawClient, numbers: Sequence[int]) -> None:
    for number in numbers:
        # Most are short, to send many. One in ten has the most aliases allowed, and so the most
        # memory.
        length = MAX_ALIASES if number % 10 == 0 else 2
        fields = " ".join(f"of{number}n{n}: __typename" for n in range(length))
        response = await client.send(graphql_request(f"{{ {fields} }}"))
        assert b'"errors"' not in response.body, response


def check_growth(samples: Sequence[ResourceUsage], figures: Figures) -> None:
    _at_most("memory (MiB)", [each.memory_mib for each in samples], MEMORY_MIB_GROWTH, figures)
    _at_most("open files", [each.files for each in samples], FILES_GROWTH, figures)
    _at_most("threads", [each.threads for each in samples], THREADS_GROWTH, figures)


def _at_most(name: str, samples: Sequence[float], most: float, figures: Figures) -> None:
    """Compare the medians of the third and the last fifth: the server is warm after two fifths."""
    fifth = len(samples) // 5
    warm, end = median(samples[2 * fifth : 3 * fifth]), median(samples[-fifth:])
    figures.record(f"{name}: start, warm, end", f"{samples[0]:.0f}, {warm:.0f}, {end:.0f}")
    figures.at_most(f"{name}: growth from warm to end", end - warm, most)
