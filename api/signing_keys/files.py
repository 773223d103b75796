"""The files of SIGNING_KEYS_DIR: for each signing key a KID.json, a JWK with its times."""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.access_tokens.jwk import UnusableKey
from domain.access_tokens.keys import Key

# The time of the last change, the size and the inode of a file. A replaced file has another inode
# at least.
Stamp = tuple[int, int, int]

# An RSA key of 4096 bits has 4 KiB.
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeyFile:
    stamp: Stamp
    key: Key


def read_keys(
    folder: Path, known: Mapping[str, KeyFile] | None = None
) -> tuple[dict[str, KeyFile], list[str]]:
    """Return the keys by file name, and a message for each file that cannot be used.

    For such a file the key that was ``known`` is kept. A missing folder has no keys. Raises OSError
    if the folder cannot be read.
    """
    known, found, problems = known or {}, {}, []
    for name, stamp in _files(folder):
        before = known.get(name)
        if before is not None and before.stamp == stamp:
            found[name] = before
            continue
        try:
            found[name] = KeyFile(stamp, _read(folder / name))
        except (OSError, UnusableKey) as error:
            why = error.strerror if isinstance(error, OSError) else error
            problems.append(f"The key {folder / name} cannot be used: {why}.")
            if before is not None:
                found[name] = before
    return found, problems


def _files(folder: Path) -> list[tuple[str, Stamp]]:
    try:
        with os.scandir(folder) as entries:
            # A mounted secret has links, and folders whose names begin with a dot.
            names = [
                entry.name
                for entry in entries
                if entry.name.endswith(".json") and not entry.name.startswith(".")
            ]
    except FileNotFoundError:
        return []
    return [(name, _stamp(folder / name)) for name in sorted(names)]


def _stamp(file: Path) -> Stamp:
    try:
        about = file.stat()
    except OSError:
        # Deleted since, or a broken link: `_read` reports it.
        return (0, 0, 0)
    return (about.st_mtime_ns, about.st_size, about.st_ino)


def _read(file: Path) -> Key:
    # Reading a pipe would block, and a device might be endless.
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        raise UnusableKey(f"it is not a file of at most {MAX_BYTES} bytes")
    try:
        members = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise UnusableKey("it is not JSON") from None
    key = Key.of_jwk(members)
    if file.stem != key.kid:
        raise UnusableKey("its file name is not its `kid`")
    return key


def write_key(folder: Path, key: Key) -> None:
    """Write a key's file atomically: readers, also after a crash, find the old file or the new one.
    Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes it readable by its owner only.
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(key.as_jwk(), file, indent=2)
            _share(file.fileno(), folder, is_secret=key.private is not None)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / f"{key.kid}.json")
    except BaseException:
        os.unlink(name)
        raise
    _sync(folder)


def _share(descriptor: int, folder: Path, *, is_secret: bool) -> None:
    """Let the server read keys that root wrote, and retired keys that another user wrote. Does
    nothing on Windows."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    if not is_secret and hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o644)


def _sync(folder: Path) -> None:
    """Write the folder's entry to disk. Does nothing on Windows."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_key(folder: Path, key: Key) -> None:
    (folder / f"{key.kid}.json").unlink(missing_ok=True)


def writable_by_others(folder: Path) -> bool:
    """Return whether every user of this machine may add a key, and could sign tokens for anyone."""
    names, _ = read_keys(folder)
    return any(others_may(stat.S_IWOTH, place) for place in (folder, *_paths(folder, names)))


def readable_by_others(folder: Path) -> bool:
    """Return whether every user of this machine may read a private key. A group may: that is how
    secrets are mounted."""
    files, _ = read_keys(folder)
    private = [name for name, file in files.items() if file.key.private]
    return any(others_may(stat.S_IROTH, place) for place in _paths(folder, private))


def _paths(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names]


def others_may(permission: int, place: Path) -> bool:
    """Return whether users of this machine outside the file's group have the permission, such as
    ``stat.S_IROTH``. On Windows a mode says nothing about other users. Raises OSError."""
    return os.name == "posix" and bool(place.stat().st_mode & permission)
