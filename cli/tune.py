"""`gatehouse tune`: what a password hash may cost here, as lines for .env."""

import asyncio
import os
import platform
import secrets
import textwrap

from cli import argon2_build
from domain.passwords import tuning
from domain.passwords.tuning import Costs, Fit
from settings import load_settings

# The time is what argon2-cffi takes by default; the memory RFC 9106's second recommendation.
TARGET_MS = 50
MEMORY_MIB = 64

# Up to so much glibc keeps what a hash has used for the next one (mallopt(3), M_MMAP_THRESHOLD). More it gives back, and
# takes anew from the system page by page: with huge pages, 1.7 times the hashes of 64 MiB, and 2.4 times those of the
# native build.
MAX_KEPT_MIB = 32
HUGE_PAGES = "glibc.malloc.hugetlb=1"

# OWASP Password Storage Cheat Sheet: "calculating a hash should take less than one second".
MAX_TARGET_MS = 1000
MAX_MEMORY_MIB = 4096


def tune(*, target_ms: int, memory_mib: int) -> None:
    """Measure and print. Every line but the settings is a comment, so that all of it may go into .env.

    Raises SystemExit for more memory than this machine has.
    """
    # A secret is required of whoever signs; here nothing is signed.
    threads = load_settings(secret_key=secrets.token_urlsafe()).hashing_threads
    needed, there_is = threads * memory_mib, _machine_memory_mib()
    if there_is is not None and needed > there_is:
        raise SystemExit(
            f"gatehouse: {threads} HASHING_THREADS of {memory_mib} MiB need {needed} MiB, and there are {there_is}:"
            " choose a smaller --memory-mib"
        )
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
            f"Hashes of more than {MAX_KEPT_MIB} MiB gain by huge pages, about twice as many a second: start Gatehouse with"
            f" GLIBC_TUNABLES={HUGE_PAGES} in its environment (it is no setting for .env), and tune again with it."
        )
    _comment(argon2_build.advice())


async def _measure(threads: int, target_ms: int, memory_mib: int) -> tuple[Fit, float]:
    fit = await tuning.fit(
        tuning.seconds_per_hash, target_seconds=target_ms / 1000, memory_mib=memory_mib
    )
    return fit, await tuning.hashes_per_second(fit.costs, threads)


def _what_fits(fit: Fit, target_ms: int) -> str:
    takes = f"{fit.seconds * 1000:.0f} ms"
    if fit.seconds * 1000 > target_ms:
        return (
            f"This machine is too slow for {target_ms} ms: a hash takes {takes} at OWASP's minimum,"
            " and less would not be safe."
        )
    return f"A hash takes {takes}, of {target_ms} that it may."


def would_gain_by_huge_pages(costs: Costs) -> bool:
    return (
        costs.memory_kib > MAX_KEPT_MIB * 1024
        and platform.libc_ver()[0] == "glibc"
        and HUGE_PAGES not in os.environ.get("GLIBC_TUNABLES", "")
    )


def _comment(text: str) -> None:
    print(textwrap.fill(text, 100, initial_indent="# ", subsequent_indent="# "))


def _machine_memory_mib() -> int | None:
    """None where the system does not say (Windows)."""
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2
