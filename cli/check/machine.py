"""Check that the processes fit into the cores and the memory that they may use."""

from collections.abc import Iterator

from cli.check.findings import Finding, ok, problem, warning
from settings import Settings
from settings.machine import available_cores, memory_limit, memory_needed


def memory(settings: Settings) -> Iterator[Finding]:
    """Add up the hashes that run at the same time, and a picture for each worker."""
    allowed = memory_limit()
    if allowed is None:
        return
    hashes = settings.workers * settings.hashing_threads
    pictures = settings.workers if settings.pictures_are_on else 0
    needed = memory_needed(
        workers=settings.workers,
        threads=settings.hashing_threads,
        hash_kib=settings.argon2_memory_kib,
        pictures=settings.pictures_are_on,
    )
    message = f"up to {_mib(needed)} MiB for {_count(settings.workers, 'worker')}, {_count(hashes, 'hash', 'hashes')} and {_count(pictures, 'picture')} at a time"
    if needed > allowed:
        yield problem(
            "HASHING_THREADS",
            f"{message}, more than the {_mib(allowed)} MiB there are: lower it, WORKERS or ARGON2_MEMORY_KIB, or turn PICTURES off",
        )
    else:
        yield ok("HASHING_THREADS", f"{message}, of {_mib(allowed)}")


def cores(settings: Settings) -> Iterator[Finding]:
    available = available_cores()
    # Two let a reload restart them one at a time, also on one core.
    if settings.workers > max(2, available):
        yield warning("WORKERS", f"is {settings.workers}, for {_count(available, 'core')}")
    elif settings.hashing_threads > 1 and settings.workers * settings.hashing_threads > available:
        yield warning(
            "HASHING_THREADS",
            f"is {settings.hashing_threads} in {_count(settings.workers, 'worker')}, for {_count(available, 'core')}: each hash only takes longer",
        )
    else:
        yield ok("WORKERS", f"{settings.workers}, for {_count(available, 'core')}")


def _mib(size: int) -> int:
    return size // 1024**2


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
