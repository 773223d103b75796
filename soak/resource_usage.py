"""Memory, open files and threads of a process and its descendants, read from Linux's /proc."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ResourceUsage:
    memory_mib: float
    files: int
    threads: int


def resource_usage(pid: int) -> ResourceUsage:
    """Return the sums over the process and its descendants."""
    processes = [pid, *descendants(pid)]
    return ResourceUsage(
        sum(_status(each, "VmRSS") for each in processes) / 1024,
        sum(len(os.listdir(f"/proc/{each}/fd")) for each in processes),
        sum(_status(each, "Threads") for each in processes),
    )


def peak_memory_mib(pid: int) -> float:
    """Return the peak of the process alone, without its descendants."""
    return _status(pid, "VmHWM") / 1024


def reset_peak_memory(pid: int) -> None:
    """Start to measure the peak again from now on (proc(5), "clear_refs")."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid: int) -> float:
    """Return the processor's time that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [int(child) for thread in threads for child in thread.read_text().split()]
    except FileNotFoundError:
        return []  # the process has ended
    return [each for child in children for each in (child, *descendants(child))]


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
