"""What the house promises whatever happens to it: `make soak` tries it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from soak import full_disk, postgres_outages
from soak.disconnects import leaving
from soak.figures import Figures
from soak.half_open_requests import half_open
from soak.kill import kill, kill_workers
from soak.login_storm import storm
from soak.postgres import Postgres
from soak.resource_growth import documents, mixed

MINUTES = float(os.environ.get("MINUTES", "10"))

Keep = Callable[[Figures], None]


async def test_kill_loses_nothing_that_was_acknowledged(
    database_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await kill(database_url, tmp_path, rounds=30, port=port))


async def test_kill_of_a_worker_loses_nothing_either(
    database_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await kill_workers(database_url, tmp_path, rounds=10, port=port))


async def test_postgres_that_is_stopped_hard_is_survived(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await postgres_outages.stop(postgres, postgres_url, tmp_path, port))


async def test_postgres_that_is_frozen_is_survived(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await postgres_outages.freeze(postgres, postgres_url, tmp_path, port, seconds=30))


async def test_disk_that_takes_no_more_is_survived(
    sqlite_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await full_disk.limit_file_size(sqlite_url, tmp_path, port=port))


async def test_disk_that_is_full_is_survived(
    small_disk: Path, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(
        await full_disk.fill_tmpfs(f"sqlite:///{small_disk / 'gatehouse.db'}", tmp_path, port=port)
    )


async def test_logins_by_hundreds_leave_room_for_others(
    database_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await storm(database_url, tmp_path, port=port))


async def test_half_open_requests_keep_nobody_out(
    sqlite_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await half_open(sqlite_url, tmp_path, number=900, seconds=5, port=port))


async def test_leaving_in_the_middle_leaves_nothing_behind_on_sqlite(
    sqlite_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await leaving(sqlite_url, tmp_path, number=4000, port=port))


async def test_leaving_in_the_middle_leaves_nothing_behind_on_postgres(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    def connections() -> int:
        return postgres.connections(postgres_url)

    keep(await leaving(postgres_url, tmp_path, number=4000, connections=connections, port=port))


async def test_mixed_traffic_makes_nothing_grow(
    sqlite_url: str, postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    """On both databases at the same time."""

    def connections() -> int:
        return postgres.connections(postgres_url)

    seconds = MINUTES * 60
    on_sqlite, on_postgres = await asyncio.gather(
        mixed(sqlite_url, tmp_path, seconds=seconds, port=port),
        mixed(postgres_url, tmp_path, seconds=seconds, port=port + 2, connections=connections),
    )
    keep(Figures([*on_sqlite.rows, *on_postgres.rows]))


async def test_documents_by_the_hundred_thousand_make_nothing_grow(
    sqlite_url: str, tmp_path: Path, port: int, keep: Keep
) -> None:
    keep(await documents(sqlite_url, tmp_path, port=port))
