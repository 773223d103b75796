"""`gatehouse tune`: find what a password hash may cost on this machine, as lines for .env."""

import asyncio
import os
import platform
import secrets
import textwrap

import click

from cli import argon2_build
from cli.secret import SECRET_BYTES
from cli.usage import WholeNumber, examples
from domain.passwords import tuning
from domain.passwords.tuning import MIN_MEMORY_MIB, Costs, Fit
from settings import Settings, load_settings
from settings.machine import memory_limit

# The time is argon2-cffi's default; the memory is RFC 9106's second recommendation.
TARGET_MS = 50
MEMORY_MIB = 64

# Up to this size glibc keeps the memory of a hash for the next one (mallopt(3), M_MMAP_THRESHOLD).
# It returns a larger block to the system, and gets the next one page by page. Huge pages make this
# cheap: 1.7 times the hashes of 64 MiB, and 2.4 times those of the native build.
MAX_KEPT_MIB = 32
HUGE_PAGES = "glibc.malloc.hugetlb=1"

# OWASP Password Storage Cheat Sheet: "calculating a hash should take less than one second".
MAX_TARGET_MS = 1000
MAX_MEMORY_MIB = 4096


@click.command(
    epilog=examples(
        "gatehouse tune",
        "gatehouse tune --target-ms 100 --memory-mib 128",
        "gatehouse tune >> .env",
    )
)
@click.option(
    "--target-ms",
    type=WholeNumber(1, MAX_TARGET_MS),
    default=TARGET_MS,
    show_default=True,
    metavar="MS",
    help="Maximum time of one hash, in milliseconds.",
)
@click.option(
    "--memory-mib",
    type=WholeNumber(MIN_MEMORY_MIB, MAX_MEMORY_MIB),
    default=MEMORY_MIB,
    show_default=True,
    metavar="MIB",
    help="Maximum memory of one hash, in MiB. Each of HASHING_THREADS uses as much.",
)
def tune(target_ms: int, memory_mib: int) -> None:
    """Find what a password hash may cost on this machine.

    Measures for some seconds, and prints the settings for .env. All other lines are comments.
    """
    # The settings require a secret to sign with. This command signs nothing.
    settings = load_settings(
        secret_key=secrets.token_urlsafe(SECRET_BYTES), argon2_memory_kib=memory_mib * 1024
    )
    _require_memory(settings, memory_mib)
    threads = settings.hashing_threads
    fit, rate = asyncio.run(_measure(threads, target_ms, memory_mib))
    _comment(_what_fits(fit, target_ms))
    for name, value in (
        ("MEMORY_KIB", fit.costs.memory_kib),
        ("TIME_COST", fit.costs.time_cost),
        ("PARALLELISM", fit.costs.parallelism),
    ):
        print(f"ARGON2_{name}={value}")
    _comment(
        f"That is {rate:.0f} hashes a second with HASHING_THREADS={threads}, in up to"
        f" {threads * fit.costs.memory_kib // 1024} MiB."
    )
    if would_gain_by_huge_pages(fit.costs):
        _comment(
            f"With huge pages, hashes of more than {MAX_KEPT_MIB} MiB are about twice as fast. Start"
            f" Gatehouse with GLIBC_TUNABLES={HUGE_PAGES} in its environment (not in .env), and run"
            " `gatehouse tune` again with it."
        )
    _comment(argon2_build.advice())


def _require_memory(settings: Settings, memory_mib: int) -> None:
    workers, threads, allowed = settings.workers, settings.hashing_threads, memory_limit()
    needed_mib = workers * threads * memory_mib
    if allowed is not None and needed_mib > allowed // 1024**2:
        raise SystemExit(
            f"gatehouse: {threads} HASHING_THREADS of {memory_mib} MiB in {workers} WORKERS need"
            f" {needed_mib} MiB, more than the {allowed // 1024**2} MiB there are. Choose a smaller"
            " --memory-mib."
        )


async def _measure(threads: int, target_ms: int, memory_mib: int) -> tuple[Fit, float]:
    fit = await tuning.fit(
        tuning.seconds_per_hash, target_seconds=target_ms / 1000, memory_mib=memory_mib
    )
    return fit, await tuning.hashes_per_second(fit.costs, threads)


def _what_fits(fit: Fit, target_ms: int) -> str:
    takes = f"{fit.seconds * 1000:.0f} ms"
    if fit.seconds * 1000 > target_ms:
        return (
            f"This machine is too slow for {target_ms} ms: a hash takes {takes} at OWASP's minimum."
            " Lower costs would not be safe."
        )
    return f"A hash takes {takes}. The limit is {target_ms} ms."


def would_gain_by_huge_pages(costs: Costs) -> bool:
    return (
        costs.memory_kib > MAX_KEPT_MIB * 1024
        and platform.libc_ver()[0] == "glibc"
        and HUGE_PAGES not in os.environ.get("GLIBC_TUNABLES", "")
    )


def _comment(text: str) -> None:
    print(textwrap.fill(text, 100, initial_indent="# ", subsequent_indent="# "))
