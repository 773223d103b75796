"""What this process may use of the machine: cores and memory, within its control groups.

A container sees all cores and all memory of its machine, and is killed when it takes more than its
own.
"""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MAX_HASHING_THREADS = 256

# What a worker takes besides its hashes, under load: 113 MiB at its start, up to 144 after large
# responses, and some room.
_WORKER_BYTES = 150 * 1024**2

# What the worst picture takes that is accepted, a transparent WebP of 4096 by 4096 pixels. A worker
# decodes one at a time.
_PICTURE_BYTES = 272 * 1024**2

_ROOT = Path("/")
_CGROUPS = Path("sys/fs/cgroup")


def hashing_threads(*, workers: int, hash_kib: int, pictures: bool, root: Path = _ROOT) -> int:
    """Return how many hashes each worker can compute at a time: one for each core, and no more than
    fit into the memory. At least one."""
    threads = min(available_cores(root) // workers, MAX_HASHING_THREADS)
    limit = memory_limit(root)
    if limit is not None:
        rest = limit - memory_needed(workers=workers, threads=0, hash_kib=0, pictures=pictures)
        threads = min(threads, rest // (workers * hash_kib * 1024))
    return max(1, threads)


def memory_needed(*, workers: int, threads: int, hash_kib: int, pictures: bool) -> int:
    """Return how many bytes the workers take together, each with all its threads and a picture."""
    picture = _PICTURE_BYTES if pictures else 0
    return workers * (_WORKER_BYTES + threads * hash_kib * 1024 + picture)


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
