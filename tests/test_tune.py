"""`gatehouse tune`, and its recommendations for fast and slow machines."""

import platform
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from cli.argon2_build import advice_for
from cli.tune import would_gain_by_huge_pages
from domain.passwords.hashing import HashingQueue
from domain.passwords.tuning import Costs, fit
from settings import Settings
from tests.commands import Run, run
from tests.hashing import hash_password
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment

# OWASP Password Storage Cheat Sheet, "Argon2id": the minimum values of m (in KiB) and t.
OWASP = [(47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5)]


def tune(folder: Path, *options: str, **settings: str) -> Run:
    return run(["tune", *options], folder, **{"HASHING_THREADS": "1"} | settings)


def machine(*, kib_a_second: float) -> Callable[[Costs], Awaitable[float]]:
    """Return a machine on which the time of a hash depends only on memory times passes."""

    async def seconds(costs: Costs) -> float:
        return costs.memory_kib * costs.time_cost / kib_a_second

    return seconds


def is_safe(costs: Costs) -> bool:
    return any(
        costs.memory_kib >= memory_kib and costs.time_cost >= time_cost
        for memory_kib, time_cost in OWASP
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc")
def test_hashes_that_glibc_keeps_no_memory_for_gain_by_huge_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, large = (
        Costs(memory_kib=32 * 1024, time_cost=2),
        Costs(memory_kib=48 * 1024, time_cost=1),
    )
    told = [would_gain_by_huge_pages(costs) for costs in (small, large)]
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")

    assert told == [False, True]
    assert not would_gain_by_huge_pages(large)


def test_what_it_prints_may_go_into_env_as_it_stands(tmp_path: Path) -> None:
    made = subprocess.run(
        [GATEHOUSE, "tune", "--target-ms", "40"],
        cwd=tmp_path,
        env=environment(HASHING_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    (tmp_path / ".env").write_text(made.stdout)

    assert (made.returncode, made.stderr) == (0, "")
    printed = dotenv_values(tmp_path / ".env")
    assert list(printed) == ["ARGON2_MEMORY_KIB", "ARGON2_TIME_COST", "ARGON2_PARALLELISM"]
    settings = Settings.model_validate({"secret_key": "x" * 32, **_lowered(printed)})
    assert is_safe(Costs(settings.argon2_memory_kib, settings.argon2_time_cost))
    assert re.search(
        r"^# That is [1-9]\d* hashes a second with HASHING_THREADS=1", made.stdout, re.M
    )


def _lowered(variables: dict[str, str | None]) -> dict[str, str | None]:
    return {name.lower(): value for name, value in variables.items()}


def test_a_machine_that_is_too_slow_is_told_so_and_given_the_minimum(tmp_path: Path) -> None:
    ended = tune(tmp_path, "--target-ms", "1")

    assert ended.status == 0
    assert ended.stdout.startswith("# This machine is too slow for 1 ms")
    assert "ARGON2_MEMORY_KIB=19456\nARGON2_TIME_COST=2\n" in ended.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--target-ms", "0"),
        ("--target-ms", "1001"),
        ("--target-ms", "soon"),
        ("--target-ms", "9" * 5000),
        ("--memory-mib", "6"),
        ("--memory-mib", "-64"),
        ("--memory-mib", "4097"),
        ("--memory-mib",),
        ("--hashes", "1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = tune(tmp_path, *options)

    assert ended.status != 0
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith("gatehouse: ")
    assert len(line) < 200


def test_it_needs_no_secret_whatever_signs(tmp_path: Path) -> None:
    assert tune(tmp_path, "--target-ms", "1", ALGORITHM="HS512").status == 0


def test_the_threads_of_all_workers_need_memory(tmp_path: Path) -> None:
    ended = tune(tmp_path, "--memory-mib", "4096", HASHING_THREADS="64", WORKERS="4")

    assert ended.status == 1
    assert "64 HASHING_THREADS of 4096 MiB in 4 WORKERS need 1048576 MiB" in ended.stderr


def test_more_memory_than_there_is_is_refused_before_it_is_taken(tmp_path: Path) -> None:
    ended = tune(tmp_path, "--memory-mib", "4096", HASHING_THREADS="256")

    assert ended.status == 1
    [line] = ended.stderr.splitlines()
    assert "1048576 MiB" in line


@given(
    kib_a_second=st.floats(1e4, 1e9),
    target_seconds=st.floats(0.001, 1),
    memory_mib=st.integers(7, 4096),
)
async def test_nothing_below_owasps_minimum_is_offered_on_any_machine(
    kib_a_second: float, target_seconds: float, memory_mib: int
) -> None:
    found = await fit(
        machine(kib_a_second=kib_a_second), target_seconds=target_seconds, memory_mib=memory_mib
    )

    assert is_safe(found.costs)
    assert found.costs.memory_kib <= memory_mib * 1024
    assert found.seconds <= target_seconds or found.costs.time_cost <= 5


@pytest.mark.parametrize(
    ("kib_a_second", "target_ms", "memory_mib", "memory_kib", "passes"),
    [
        (2_000_000, 100, 64, 64 * 1024, 3),  # all of the memory, then passes
        (2_000_000, 50, 1024, 97 * 1024, 1),  # as much memory as there is time for
        (2_000_000, 100, 16, 16 * 1024, 12),
        (2_000_000, 20, 64, 19 * 1024, 2),
        (2_000_000, 19, 64, 12 * 1024, 3),  # an equivalent that is a little faster
        (2_000_000, 10, 64, 19 * 1024, 2),  # too slow even for the minimum
        (2_000_000, 10, 11, 9 * 1024, 4),
    ],
)
async def test_memory_comes_first_and_passes_fill_the_time(
    kib_a_second: float, target_ms: int, memory_mib: int, memory_kib: int, passes: int
) -> None:
    found = await fit(
        machine(kib_a_second=kib_a_second),
        target_seconds=target_ms / 1000,
        memory_mib=memory_mib,
    )

    assert found.costs == Costs(memory_kib, passes)


async def test_a_machine_whose_memory_is_slow_gets_what_it_can_do_in_time() -> None:
    async def seconds(costs: Costs) -> float:
        quick, slow = min(costs.memory_kib, 32 * 1024), max(0, costs.memory_kib - 32 * 1024)
        return (quick + 3 * slow) * costs.time_cost / 2_000_000

    found = await fit(seconds, target_seconds=0.1, memory_mib=512)

    assert found.seconds <= 0.1
    assert found.seconds == await seconds(found.costs)
    assert found.costs.memory_kib > 64 * 1024


async def test_what_is_found_can_be_hashed_with() -> None:
    found = await fit(machine(kib_a_second=1e9), target_seconds=1, memory_mib=7)
    assert found.costs == Costs(7 * 1024, 100)

    hasher = HashingQueue(memory_kib=7 * 1024, time_cost=100, parallelism=1, threads=1)
    assert "$m=7168,t=100,p=1$" in await hash_password(hasher, "analytical engine")
    hasher.close()


@pytest.mark.parametrize(
    ("tag", "cpuinfo", "says"),
    [
        ("manylinux_2_28_x86_64", "flags\t\t: fpu sse2 avx avx2 avx512f", "has AVX-512"),
        ("musllinux_1_2_x86_64", "flags\t\t: fpu sse2 avx avx2", "has AVX2"),
        ("manylinux_2_28_x86_64", "flags\t\t: fpu sse2 avx", "neither AVX2 nor AVX-512"),
        ("manylinux_2_28_aarch64", "Features\t: fp asimd aes", "not known"),
        ("manylinux_2_28_x86_64", "", "not known"),
        ("linux_x86_64", "flags\t\t: fpu sse2 avx2", "from source"),
    ],
)
def test_it_says_whether_another_build_of_argon2_would_help(
    tag: str, cpuinfo: str, says: str
) -> None:
    assert says in advice_for(f"Wheel-Version: 1.0\nTag: cp310-abi3-{tag}\n\n", cpuinfo)
