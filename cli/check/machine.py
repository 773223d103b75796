"""Check that the processes fit into the cores and the memory that they may use."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cli.check.findings import Finding, ok, problem, warning
from settings import Settings

# What a worker takes besides its hashes, under load.
_WORKER_BYTES = 128 * 1024**2

# What the worst picture takes that is accepted, a transparent WebP of 4096 by 4096 pixels. A worker
# decodes one at a time.
_PICTURE_BYTES = 272 * 1024**2

_ROOT = Path("/")
_CGROUPS = Path("sys/fs/cgroup")


def memory(settings: Settings) -> Iterator[Finding]:
    """Add up the hashes that run at the same time, and a picture for each worker."""
    allowed = memory_limit()
    if allowed is None:
        return
    hashes = settings.workers * settings.hashing_threads
    pictures = settings.workers if settings.pictures_are_on else 0
    needed = (
        settings.workers * _WORKER_BYTES
        + hashes * settings.argon2_memory_kib * 1024
        + pictures * _PICTURE_BYTES
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


def memory_limit(root: Path = _ROOT) -> int | None:
    """Return how many bytes this process may use: the memory of the machine, or the smallest limit
    of its control groups. None if the system does not tell."""
    limits = []
    with suppress(OSError):
        # `MemTotal:       16318432 kB`, the first line: see proc_meminfo(5).
        limits.append(int((root / "proc/meminfo").read_text().split()[1]) * 1024)
    for folder in _control_groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):  # without a limit, `max`
                limits.append(int((folder / name).read_text()))
    return min(limits, default=None)


def available_cores(root: Path = _ROOT) -> int:
    """Return how many cores this process may use: those it may run on, or the smallest share of
    time that its control groups allow."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    shares = [float(cores or 1)]
    for folder in _control_groups(root, "cpu"):
        for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            with suppress(OSError, ValueError):  # without a limit, `max` or -1
                quota, period = " ".join((folder / name).read_text() for name in names).split()
                if int(quota) > 0:
                    shares.append(int(quota) / int(period))
    return math.ceil(min(shares))


def _control_groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups and of the groups that contain them.

    See cgroups(7): a line of /proc/self/cgroup is `0::/path` in version 2, and in version 1
    `4:memory:/path`. In a container the path may be the host's, and the topmost folder is the
    container's.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / _CGROUPS / (controller if controllers else "")
        group = top / path.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(top))


def _mib(size: int) -> int:
    return size // 1024**2


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
