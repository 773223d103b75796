"""A PostgreSQL server for the soak tests, which they can stop and freeze."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from db.migrations import HEAD
from soak.resource_usage import descendants
from tests.databases import migrate_to

# PostgreSQL does not run as root.
USER_INSTEAD_OF_ROOT = "postgres"


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, which Debian keeps out of the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@dataclass(frozen=True)
class Postgres:
    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def is_running(self) -> bool:
        return self._pid_file.exists()

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._control("start", "-w", "-l", f"{self.folder}/log", "-o", options)

    def stop(self) -> None:
        """Stop the server without a clean shutdown, so that it has to recover when it starts."""
        self._control("stop", "-m", "immediate")

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self._control("promote", "-w")

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def connections(self, database_url: str) -> int:
        """Return the number of connections to the database, without the one that counts."""
        with psycopg.connect(database_url, autocommit=True) as connection:
            counted = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        assert counted is not None
        return int(counted[0])

    @contextmanager
    def database(self, revision: str = HEAD) -> Iterator[str]:
        """Yield the URL of a new database, migrated to a revision."""
        name = sql.Identifier(f"soak_{uuid4().hex}")
        with psycopg.connect(self.url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        url = self.url.removesuffix("postgres") + name.as_string().strip('"')
        migrate_to(url, revision)
        try:
            yield url
        finally:
            with psycopg.connect(self.url, autocommit=True) as server:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    @property
    def _pid_file(self) -> Path:
        return self.folder / "data" / "postmaster.pid"

    def _control(self, *arguments: str) -> None:
        run(self.programs / "pg_ctl", "-s", "-D", f"{self.folder}/data", *arguments)

    def _signal(self, number: signal.Signals) -> None:
        pid = int(self._pid_file.read_text().split()[0])
        # The postmaster first, so that it starts no processes in the meantime.
        for process in (pid, *descendants(pid)):
            # One may have ended meanwhile.
            with suppress(ProcessLookupError):
                os.kill(process, number)


@contextmanager
def running_postgres(programs: Path, port: int) -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="soak-postgres-") as name:
        folder = own(Path(name))
        run(
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        postgres = Postgres(programs, folder, port)
        postgres.start()
        try:
            yield postgres
        finally:
            if postgres.is_running:
                postgres.thaw()
                postgres.stop()


def own(folder: Path) -> Path:
    """Give a folder to the user that PostgreSQL runs as, and return it."""
    if os.geteuid() == 0:
        shutil.chown(folder, USER_INSTEAD_OF_ROOT)
    return folder


def run(*command: str | Path) -> None:
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": USER_INSTEAD_OF_ROOT, "group": USER_INSTEAD_OF_ROOT, "extra_groups": []}
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **user)
