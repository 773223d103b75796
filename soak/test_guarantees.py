"""What the server guarantees under faults and load. `make soak` runs these tests."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from soak.bulk_rows import Sizes
from soak.disconnects import disconnects
from soak.failover import failover
from soak.figures import Figures
from soak.full_disk import fill_tmpfs, limit_file_size
from soak.half_open_requests import half_open_requests
from soak.kill import kill_server, kill_workers
from soak.login_storm import login_storm
from soak.pooled_connections import pooled_connections
from soak.postgres import Postgres
from soak.postgres_outages import freeze_postgres, stop_postgres
from soak.replica import read_replica
from soak.resource_growth import distinct_documents, mixed_traffic
from soak.size import size
from soak.subscriptions import waiting_sockets
from soak.upgrade import upgrade
from tests.pgbouncer import PGBOUNCER_PROGRAM
from tests.postgres_cluster import Cluster
from tests.proxies import PROXIES

SOCKETS = int(os.environ.get("SOCKETS", "5000"))
MINUTES = float(os.environ.get("MINUTES", "10"))
SIZES = Sizes(
    users=int(os.environ.get("USERS", "1000000")),
    sessions=int(os.environ.get("SESSIONS", "500000")),
    events=int(os.environ.get("EVENTS", "2000000")),
)

Save = Callable[[Figures], None]


async def test_kill_loses_no_acknowledged_write(
    database_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await kill_server(database_url, tmp_path, rounds=30, port=port))


async def test_kill_of_a_worker_loses_no_acknowledged_write(
    database_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await kill_workers(database_url, tmp_path, rounds=10, port=port))


async def test_recovers_from_a_stopped_postgresql(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await stop_postgres(postgres, postgres_url, tmp_path, port))


async def test_recovers_from_a_frozen_postgresql(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await freeze_postgres(postgres, postgres_url, tmp_path, port, seconds=30))


@pytest.mark.parametrize("freeze", [False, True], ids=["stopped", "frozen"])
async def test_failover_to_a_promoted_standby(
    cluster: Cluster, tmp_path: Path, port: int, save: Save, *, freeze: bool
) -> None:
    save(await failover(cluster, tmp_path, port=port, freeze=freeze))


async def test_recovers_from_a_disk_that_rejects_writes(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await limit_file_size(sqlite_url, tmp_path, port=port))


async def test_recovers_from_a_full_disk(
    small_disk: Path, tmp_path: Path, port: int, save: Save
) -> None:
    save(await fill_tmpfs(f"sqlite:///{small_disk / 'gatehouse.db'}", tmp_path, port=port))


async def test_a_replica_shows_users_their_own_writes(
    cluster: Cluster, tmp_path: Path, port: int, save: Save
) -> None:
    save(await read_replica(cluster, tmp_path, port=port))


@pytest.mark.skipif(not PGBOUNCER_PROGRAM, reason="needs pgbouncer")
async def test_pgbouncer_bounds_the_connections(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await pooled_connections(postgres, postgres_url, tmp_path, port=port + 2))


@pytest.mark.skipif(not PROXIES["nginx"], reason="needs nginx")
async def test_an_upgrade_of_two_servers_refuses_no_request(
    postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await upgrade(postgres_url, tmp_path, port=port + 2))


async def test_thousands_of_subscriptions_wait(
    database_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await waiting_sockets(database_url, tmp_path, number=SOCKETS, port=port))


async def test_hundreds_of_logins_do_not_block_other_requests(
    database_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await login_storm(database_url, tmp_path, port=port))


async def test_half_open_requests_do_not_block_other_requests(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await half_open_requests(sqlite_url, tmp_path, number=900, seconds=5, port=port))


async def test_clients_leaving_mid_request_leak_nothing_on_sqlite(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await disconnects(sqlite_url, tmp_path, number=4000, port=port))


async def test_clients_leaving_mid_request_leak_nothing_on_postgresql(
    postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    def connections() -> int:
        return postgres.connections(postgres_url)

    save(await disconnects(postgres_url, tmp_path, number=4000, connections=connections, port=port))


async def test_mixed_traffic_does_not_grow_resource_usage(
    sqlite_url: str, postgres: Postgres, postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    """Run on both databases at the same time, with the figures of SQLite first."""

    def connections() -> int:
        return postgres.connections(postgres_url)

    seconds = MINUTES * 60
    on_sqlite, on_postgres = await asyncio.gather(
        mixed_traffic(sqlite_url, tmp_path, seconds=seconds, port=port),
        mixed_traffic(
            postgres_url, tmp_path, seconds=seconds, port=port + 2, connections=connections
        ),
    )
    save(Figures([*on_sqlite.rows, *on_postgres.rows]))


def test_a_database_of_full_size_is_migrated_used_and_pruned(
    postgres: Postgres, tmp_path: Path, port: int, save: Save
) -> None:
    save(size(postgres, tmp_path, sizes=SIZES, port=port))


async def test_distinct_documents_do_not_grow_resource_usage(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await distinct_documents(sqlite_url, tmp_path, port=port))
