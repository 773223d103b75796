"""The cores and the memory of a container are those of its control groups, not of its machine."""

import os
from pathlib import Path

import pytest

from settings import Settings
from settings.machine import available_cores, hashing_threads, memory_limit
from tests.conftest import settings_for


def machine_of(folder: Path, groups: str, **files: str) -> Path:
    """Write what a system with 16 GiB tells a process of these control groups."""
    tree = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    tree |= {"proc/self/cgroup": groups, "proc/meminfo": "MemTotal: 16777216 kB\nMemFree: 1 kB\n"}
    for name, text in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(400)), raising=False)


@pytest.mark.parametrize(
    ("groups", "files", "mebibytes", "cores"),
    [
        ("0::/", {}, 16384, None),
        ("0::/", {"memory.max": "max", "cpu.max": "max 100000"}, 16384, None),
        ("0::/", {"memory.max": f"{512 * 1024**2}", "cpu.max": "50000 100000"}, 512, 1),
        ("0::/a/b", {"a/memory.max": f"{256 * 1024**2}", "a/b/memory.max": "max"}, 256, None),
        (
            "9:memory:/docker/1\n4:cpu,cpuacct:/docker/1",
            {
                "memory/memory.limit_in_bytes": f"{128 * 1024**2}",
                "cpu/cpu.cfs_quota_us": "100000",
                "cpu/cpu.cfs_period_us": "100000",
            },
            128,
            1,
        ),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "1"}, 16384, None),
    ],
)
def test_a_container_has_the_memory_and_the_cores_of_its_control_group(
    tmp_path: Path, groups: str, files: dict[str, str], mebibytes: int, cores: int | None
) -> None:
    root = machine_of(tmp_path, groups, **files)

    assert memory_limit(root) == mebibytes * 1024**2
    assert available_cores(root) == (cores or available_cores(tmp_path / "without"))


@pytest.mark.parametrize(
    ("limits", "workers", "pictures", "threads"),
    [
        ({}, 1, True, 256),
        ({"cpu.max": "6400000 100000"}, 1, True, 64),
        ({"cpu.max": "250000 100000"}, 2, True, 1),
        # As 64 cores without a limit on their time, and hashes of 19 MiB.
        ({"memory.max": f"{512 * 1024**2}"}, 1, True, 4),
        ({"memory.max": f"{512 * 1024**2}"}, 1, False, 19),
        ({"memory.max": f"{1024 * 1024**2}"}, 2, True, 4),
        ({"memory.max": f"{64 * 1024**2}"}, 1, True, 1),
        ({"memory.max": "0"}, 1, True, 1),
    ],
)
@pytest.mark.usefixtures("many_cores")
def test_there_are_no_more_hashes_at_a_time_than_cores_and_memory_for_them(
    tmp_path: Path, limits: dict[str, str], workers: int, pictures: bool, threads: int
) -> None:
    root = machine_of(tmp_path, "0::/", **limits)
    memory_kib = Settings.model_fields["argon2_memory_kib"].default

    assert (
        hashing_threads(workers=workers, hash_kib=memory_kib, pictures=pictures, root=root)
        == threads
    )


def test_the_default_of_the_setting_follows_the_settings_that_take_memory() -> None:
    threads = settings_for("sqlite:///x.db").hashing_threads
    by_memory = settings_for("sqlite:///x.db", argon2_memory_kib=4 * 1024**2).hashing_threads
    by_workers = settings_for("sqlite:///x.db", workers=200).hashing_threads

    assert 1 <= threads <= available_cores()
    assert by_memory <= threads
    assert by_workers == 1


@pytest.mark.usefixtures("many_cores")
def test_a_machine_of_more_cores_than_threads_are_allowed_starts() -> None:
    assert settings_for("sqlite:///x.db", argon2_memory_kib=8).hashing_threads <= 256
