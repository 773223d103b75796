"""What a process and its children take, as Linux tells."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    memory_mib: float
    files: int
    threads: int


def taken(pid: int) -> Taken:
    """By the process and its children together."""
    family = [pid, *children(pid)]
    return Taken(
        sum(_status(one, "VmRSS") for one in family) / 1024,
        sum(len(os.listdir(f"/proc/{one}/fd")) for one in family),
        sum(_status(one, "Threads") for one in family),
    )


def peak_mib(pid: int) -> float:
    return _status(pid, "VmHWM") / 1024


def children(pid: int) -> list[int]:
    """Those of its children too."""
    try:
        threads = list(Path(f"/proc/{pid}/task").glob("*/children"))
        own = [int(child) for thread in threads for child in thread.read_text().split()]
    except FileNotFoundError:
        return []  # it has ended
    return [each for child in own for each in (child, *children(child))]


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
