"""A PostgreSQL primary with a standby, started for a test."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from soak.postgres import Postgres, own, programs, run, running_postgres
from tests.databases import migrate
from tests.servers import free_port, wait_until

PROGRAMS = programs()


@dataclass(frozen=True)
class Cluster:
    primary: Postgres
    standby: Postgres

    def wait_for_standby(self) -> None:
        """Poll until the standby has everything that the primary has committed."""
        with (
            psycopg.connect(self.primary.url, autocommit=True) as primary,
            psycopg.connect(self.standby.url, autocommit=True) as standby,
        ):
            standby.execute("SELECT pg_wal_replay_resume()")
            written = primary.execute("SELECT pg_current_wal_lsn()").fetchone()
            assert written
            replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            wait_until(lambda: standby.execute(replayed, written).fetchone() == (True,))

    def resume_standby(self) -> None:
        """Let the standby show again what it receives."""
        with psycopg.connect(self.standby.url, autocommit=True) as standby:
            standby.execute("SELECT pg_wal_replay_resume()")

    def pause_standby(self) -> None:
        """Let the standby receive what follows, and show it only when it is promoted."""
        with psycopg.connect(self.standby.url, autocommit=True) as standby:
            standby.execute("SELECT pg_wal_replay_pause()")


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Run a migrated primary and its standby."""
    assert PROGRAMS
    with running_postgres(PROGRAMS, free_port()) as primary:
        migrate(primary.url)
        with running_standby(primary, free_port()) as standby:
            yield Cluster(primary, standby)


@contextmanager
def running_standby(primary: Postgres, port: int) -> Iterator[Postgres]:
    """Run a new standby of a server."""
    with tempfile.TemporaryDirectory(prefix="standby-") as name:
        standby = Postgres(primary.programs, own(Path(name)), port)
        copy = ("-D", standby.folder / "data", "-R", "-c", "fast", "--no-sync")
        run(primary.programs / "pg_basebackup", "-d", primary.url, *copy)
        standby.start()
        try:
            yield standby
        finally:
            if standby.is_running:
                standby.stop()
