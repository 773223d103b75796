"""The processor time of a process and its descendants, read from Linux's /proc."""

import os
from contextlib import suppress
from pathlib import Path

from soak.resource_usage import descendants


def used_seconds(pid: int) -> float:
    """Return the sum over the process and its descendants, including those that have ended."""
    return sum(_of_threads(each) + _of_ended_children(each) for each in (pid, *descendants(pid)))


def _of_threads(pid: int) -> float:
    """Return the time of its threads, to the nanosecond: /proc/PID/stat counts hundredths."""
    seconds = 0.0
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            seconds += int((thread / "schedstat").read_text().split()[0]) / 1_000_000_000
    return seconds


def _of_ended_children(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return 0
