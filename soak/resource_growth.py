"""Minutes of all that a service gets to hear, after which it must take no more than it did once it was warm."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from soak.audited_clients import crowd
from soak.chaos_clients import Guest
from soak.figures import Figures
from soak.kill import SECRET
from soak.raw_client import Wire, question
from soak.resource_usage import Taken, taken
from tests.servers import running_server

GUESTS = 12
SAMPLES = 60

# What a service that is well says to nobody.
ILL = {"INTERNAL_ERROR", "UNAVAILABLE", "OVERLOADED", "500", "502", "503", "504"}

# At the end, beyond what it took when it was warm: the median of a fifth of the samples against that of another.
MEMORY_MIB_MORE = 16.0
FILES_MORE = 8.0
THREADS_MORE = 2.0
CONNECTIONS = 20

DOCUMENTS = 100_000
MAX_ALIASES = 50
ASKING = 8


async def mixed(
    url: str, folder: Path, *, seconds: float, port: int, connections: Callable[[], int] = int
) -> Figures:
    """``connections`` counts those of the server to its database, where anyone can."""
    figures, heard, ended = Figures(), Counter[str](), asyncio.Event()
    with running_server(url, SECRET, folder, PORT=str(port)) as server:
        guests = [Guest(Wire(server.url), heard) for _ in range(GUESTS)]
        staying = [asyncio.create_task(guest.stay(ended)) for guest in guests]
        samples, most = [], 0
        for _ in range(SAMPLES):
            await asyncio.wait(staying, timeout=seconds / SAMPLES)
            samples.append(taken(server.process.pid))
            most = max(most, connections())
        ended.set()
        await asyncio.gather(*staying)
        log = server.logged()
    figures.tell("minutes", seconds / 60)
    figures.tell("answers", sum(n for what, n in heard.items() if what.isdecimal()))
    figures.tell("of them", ", ".join(f"{n} {what}" for what, n in sorted(heard.items())))
    figures.none("answers of a service that is ill", {k: n for k, n in heard.items() if k in ILL})
    figures.none("tracebacks", log.count("Traceback"))
    _judge(samples, figures)
    figures.at_most("connections to the database at the most", most, CONNECTIONS)
    return figures


async def documents(url: str, folder: Path, *, number: int = DOCUMENTS, port: int) -> Figures:
    """So many documents that each come once."""
    figures = Figures()
    with (
        running_server(url, SECRET, folder, PORT=str(port)) as server,
        crowd(server.url, ASKING) as asking,
    ):
        samples, began = [], time.monotonic()
        for sample in range(SAMPLES):
            batch = range(sample * number // SAMPLES, (sample + 1) * number // SAMPLES)
            await asyncio.gather(
                *(_ask(one.wire, batch[place::ASKING]) for place, one in enumerate(asking))
            )
            samples.append(taken(server.process.pid))
        figures.tell("documents", number)
        figures.tell("s for all of them", time.monotonic() - began)
        _judge(samples, figures)
        figures.none("tracebacks", server.logged().count("Traceback"))
    return figures


async def _ask(wire: Wire, numbers: Sequence[int]) -> None:
    for number in numbers:
        # Short ones, for there are many, and now and then one that takes as much memory as it may.
        length = MAX_ALIASES if number % 10 == 0 else 2
        fields = " ".join(f"of{number}n{n}: __typename" for n in range(length))
        reply = await wire.send(question(f"{{ {fields} }}"))
        assert b'"errors"' not in reply.body, reply


def _judge(samples: Sequence[Taken], figures: Figures) -> None:
    _grown("MiB", [one.memory_mib for one in samples], MEMORY_MIB_MORE, figures)
    _grown("files open", [one.files for one in samples], FILES_MORE, figures)
    _grown("threads", [one.threads for one in samples], THREADS_MORE, figures)


def _grown(what: str, samples: Sequence[float], most: float, figures: Figures) -> None:
    """The last fifth against the third, by their medians: warm is after two fifths."""
    fifth = len(samples) // 5
    warm, end = median(samples[2 * fifth : 3 * fifth]), median(samples[-fifth:])
    figures.tell(
        f"{what}, at first, when it was warm, at the end",
        f"{samples[0]:.0f}, {warm:.0f}, {end:.0f}",
    )
    figures.at_most(f"{what} more at the end than when it was warm", end - warm, most)
