"""What kind of file system a folder lies on, where the system tells."""

from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")


def file_system_of(folder: Path) -> str | None:
    """Such as ``ext4`` or ``nfs4``; None where there is no /proc. See proc_pid_mountinfo(5)."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return None
    # The last wins: what was mounted later lies above.
    kinds = dict(_mount(line) for line in lines)
    return next(
        (kinds[str(place)] for place in _upwards(folder.resolve()) if str(place) in kinds), None
    )


def _mount(line: str) -> tuple[str, str]:
    about, _, rest = line.partition(" - ")
    # Spaces in a path are written as \040.
    return about.split(" ")[4].replace("\\040", " "), rest.split(" ")[0]


def _upwards(folder: Path) -> tuple[Path, ...]:
    return folder, *folder.parents
