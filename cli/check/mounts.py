"""The type of the file system that a folder is on (Linux only)."""

from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")


def file_system_of(folder: Path) -> str | None:
    """Return the type, such as ``ext4`` or ``nfs4``, or None without /proc.

    See proc_pid_mountinfo(5).
    """
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return None
    # The last entry wins: a later mount hides an earlier one at the same path.
    types = dict(_mount(line) for line in lines)
    return next(
        (types[str(path)] for path in _with_parents(folder.resolve()) if str(path) in types), None
    )


def _mount(line: str) -> tuple[str, str]:
    mount, _, file_system = line.partition(" - ")
    # Spaces in a path are written as \040.
    return mount.split(" ")[4].replace("\\040", " "), file_system.split(" ")[0]


def _with_parents(folder: Path) -> tuple[Path, ...]:
    return folder, *folder.parents
