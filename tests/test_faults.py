"""Short versions of three soak scenarios. `make soak` runs all of them, and for longer."""

from pathlib import Path

import pytest

from soak.disconnects import disconnects
from soak.full_disk import limit_file_size
from soak.kill import kill_server
from tests.databases import copy_of


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return copy_of(migrated_sqlite, tmp_path)


async def test_a_server_that_is_killed_loses_nothing(database_url: str, tmp_path: Path) -> None:
    (await kill_server(database_url, tmp_path, rounds=2)).assert_passed()


async def test_a_full_disk_refuses_writes_and_loses_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    (await limit_file_size(sqlite_url, tmp_path)).assert_passed()


async def test_clients_who_leave_in_the_middle_leave_nothing_behind(
    database_url: str, tmp_path: Path
) -> None:
    (await disconnects(database_url, tmp_path, number=96)).assert_passed()
