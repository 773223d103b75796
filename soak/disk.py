"""SQLite's disk is full for a while: writes are refused, reads go on, and nothing is lost."""

import asyncio
import resource
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url

from soak import rows
from soak.faults import visiting
from soak.figures import Figures
from soak.kill import GRACE, SECRET
from soak.visitors import FINE, Outcomes, Visitor
from soak.wire import Wire
from tests.operations import ME
from tests.servers import Server, running_server

FULL = ("UNAVAILABLE", "503")

# Beyond the largest file that there is.
ROOM_BYTES = 64 * 1024


async def limit_file_size(url: str, folder: Path, *, port: int = 0) -> Figures:
    """By RLIMIT_FSIZE, which needs no rights and no disk."""

    def limit(server: Server, bytes: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))

    def fill(server: Server) -> None:
        database = Path(str(make_url(url).database))
        files = database.parent.glob(f"{database.name}*")
        limit(server, max(file.stat().st_size for file in files) + ROOM_BYTES)

    def make_room(server: Server) -> None:
        limit(server, resource.RLIM_INFINITY)

    return await _suffer(url, folder, port, fill, make_room)


async def fill_tmpfs(url: str, folder: Path, *, port: int = 0) -> Figures:
    """By a disk in memory that the database itself fills; ``url`` names a file in one."""
    disk = Path(str(make_url(url).database)).parent

    def fill(_: Server) -> None:
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def make_room(_: Server) -> None:
        (disk / "ballast").unlink()

    return await _suffer(url, folder, port, fill, make_room)


def mount_tmpfs(folder: Path, *, mebibytes: int) -> bool:
    """Whether there is one now."""
    options = ["-t", "tmpfs", "-o", f"size={mebibytes}M", "tmpfs", str(folder)]
    return subprocess.run(["mount", *options], stderr=subprocess.DEVNULL).returncode == 0


async def _suffer(
    url: str,
    folder: Path,
    port: int,
    fill: Callable[[Server], None],
    make_room: Callable[[Server], None],
) -> Figures:
    figures, outcomes, reads = Figures(), Outcomes(), Outcomes()
    with running_server(url, SECRET, folder, PORT=str(port), **GRACE) as server:
        async with visiting(server.url, outcomes) as visitors:
            await asyncio.sleep(1)
            await asyncio.to_thread(fill, server)
            refused = await _read_for(2, server.url, visitors[0], reads, outcomes)
            await asyncio.to_thread(make_room, server)
            await asyncio.sleep(0.5)
            before = outcomes.counted.copy()
            await asyncio.sleep(1)
            after = outcomes.counted - before
        figures.at_least("refusals while it was full", refused, 1)
        figures.none("other answers", outcomes.other_than(FINE, *FULL))
        figures.at_least("reads meanwhile", reads.counted[FINE], 10)
        figures.none("reads that were refused", reads.other_than(FINE))
        figures.none(
            "refusals half a second after there is room",
            {k: n for k, n in after.items() if k != FINE},
        )
        figures.at_least("acknowledged in the second after that", after[FINE], 1)
        figures.none("read, and never written", outcomes.misread)
        figures.none("tracebacks", server.logged().count("Traceback"))
    await rows.check(url, visitors, figures)
    return figures


async def _read_for(
    seconds: float, url: str, reader: Visitor, reads: Outcomes, outcomes: Outcomes
) -> int:
    """How many writes were refused meanwhile."""
    wire, loop = Wire(url), asyncio.get_running_loop()
    ends = loop.time() + seconds
    while loop.time() < ends:
        began = loop.time()
        answer = await wire.ask(ME, by=reader.access_token)
        reads.count(answer.code if answer.errors else FINE, began)
    wire.leave()
    return sum(outcomes.counted[code] for code in FULL)
