"""A full disk under SQLite.

Writes must fail with UNAVAILABLE, reads must succeed, and no acknowledged write may be lost. Once
there is space again, all requests must succeed without a restart.
"""

import asyncio
import resource
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url

from soak import invariants
from soak.audited_clients import OK, UNAVAILABLE, AuditedClient, Outcomes, running_clients
from soak.figures import Figures
from soak.raw_client import RawClient
from soak.server_settings import LONG_REFRESH_GRACE, SECRET_KEY
from tests.operations import ME
from tests.servers import Server, running_server, wait_until

# How far the largest file of the database may still grow.
SPACE_LEFT_BYTES = 64 * 1024


async def limit_file_size(url: str, folder: Path, *, port: int = 0) -> Figures:
    """Simulate the full disk with RLIMIT_FSIZE, which needs neither root nor a disk."""

    def set_limit(server: Server, bytes: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))

    def fill(server: Server) -> None:
        database = Path(str(make_url(url).database))
        files = database.parent.glob(f"{database.name}*")
        set_limit(server, max(file.stat().st_size for file in files) + SPACE_LEFT_BYTES)

    def free(server: Server) -> None:
        set_limit(server, resource.RLIM_INFINITY)

    return await _fill_and_free(url, folder, port, fill, free)


async def fill_tmpfs(url: str, folder: Path, *, port: int = 0) -> Figures:
    """Fill the tmpfs that holds the SQLite file of ``url``."""
    disk = Path(str(make_url(url).database)).parent

    def fill(_: Server) -> None:
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(_: Server) -> None:
        (disk / "ballast").unlink()

    return await _fill_and_free(url, folder, port, fill, free)


def mount_tmpfs(folder: Path, *, mebibytes: int) -> bool:
    """Mount a tmpfs, and return whether that succeeded. It needs root."""
    options = ["-t", "tmpfs", "-o", f"size={mebibytes}M", "tmpfs", str(folder)]
    return subprocess.run(["mount", *options], stderr=subprocess.DEVNULL).returncode == 0


async def _fill_and_free(
    url: str,
    folder: Path,
    port: int,
    fill: Callable[[Server], None],
    free: Callable[[Server], None],
) -> Figures:
    figures, outcomes, reads = Figures(), Outcomes(), Outcomes()
    with running_server(url, SECRET_KEY, folder, PORT=str(port), **LONG_REFRESH_GRACE) as server:
        async with running_clients(server.url, outcomes) as clients:
            await asyncio.to_thread(wait_until, lambda: bool(clients[0].access_token))
            await asyncio.sleep(1)
            await asyncio.to_thread(fill, server)
            await _read_for(2, server.url, clients[0], reads)
            errors = outcomes.total(*UNAVAILABLE)
            await asyncio.to_thread(free, server)
            await asyncio.sleep(0.5)
            before = outcomes.counts.copy()
            await asyncio.sleep(1)
            after = outcomes.counts - before
        log = server.logged()
    figures.at_least("errors while the disk was full", errors, 1)
    figures.none("unexpected responses", outcomes.other_than(OK, *UNAVAILABLE))
    figures.at_least("successful reads while the disk was full", reads.counts[OK], 10)
    figures.none("failed reads while the disk was full", reads.other_than(OK))
    figures.none(
        "errors from 0.5 s after space was freed", {k: n for k, n in after.items() if k != OK}
    )
    figures.at_least("successful requests in the second after that", after[OK], 1)
    figures.none("reads of values never written", outcomes.unexpected_reads)
    figures.none("tracebacks in the log", log.count("Traceback"))
    await invariants.check(url, clients, figures)
    return figures


async def _read_for(seconds: float, url: str, reader: AuditedClient, reads: Outcomes) -> None:
    """Read `me` again and again on a connection of its own."""
    client, loop = RawClient(url), asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        began = loop.time()
        answer = await client.execute(ME, by=reader.access_token)
        reads.count(answer.code if answer.errors else OK, began)
    client.abort()
