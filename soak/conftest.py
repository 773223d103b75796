"""The databases and ports of the scenarios, and the fixture that saves their figures."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soak import report
from soak.figures import Figures
from soak.full_disk import mount_tmpfs
from soak.postgres import Postgres, programs, running_postgres
from tests.conftest import anyio_backend, migrated_sqlite
from tests.databases import copy_of
from tests.postgres_cluster import Cluster, running_cluster

__all__ = ["anyio_backend", "migrated_sqlite"]

# Outside the range of ephemeral ports: an outgoing connection must not take the server's port
# before it restarts.
PORT = int(os.environ.get("SOAK_PORT", "8165"))


@pytest.fixture
def port() -> int:
    return PORT


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    found = programs()
    assert found, "initdb was not found. Install PostgreSQL, or add its programs to the PATH."
    with running_postgres(found, PORT + 1) as server:
        yield server


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return copy_of(migrated_sqlite, tmp_path)


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount_tmpfs(folder, mebibytes=32):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def save(request: pytest.FixtureRequest) -> Callable[[Figures], None]:
    """Save the figures in the report, then fail if one missed its limit."""

    def save(figures: Figures) -> None:
        report.save(request.node.name, figures)
        figures.assert_passed()

    return save
