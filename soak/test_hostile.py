"""What the server guarantees beside a hostile client. `make soak ONLY=hostile` runs these tests."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from soak.figures import Figures
from soak.hostile import DATABASE_KINDS, SECONDS, hostile
from tests.proxies import PROXIES

ATTACK_SECONDS = float(os.environ.get("SECONDS", SECONDS))

Save = Callable[[Figures], None]


async def test_a_hostile_client_does_not_block_others(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await hostile(sqlite_url, tmp_path, seconds=ATTACK_SECONDS, port=port))


@pytest.mark.skipif(not PROXIES["nginx"], reason="needs nginx")
async def test_a_hostile_client_does_not_block_others_behind_nginx(
    sqlite_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await hostile(sqlite_url, tmp_path, through_nginx=True, seconds=ATTACK_SECONDS, port=port))


async def test_a_hostile_client_does_not_block_others_on_postgresql(
    postgres_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(
        await hostile(
            postgres_url,
            tmp_path,
            kinds=DATABASE_KINDS,
            connections=[8],
            seconds=ATTACK_SECONDS,
            port=port,
        )
    )
