"""SIGNING_KEYS_DIR: one file for each signing key, KID.json, a JWK with its times."""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.access_tokens.jwk import UnusableKey
from domain.access_tokens.keys import Key

# Of a file: when it was changed, its length, and which it is. A file that is replaced differs in the last at least.
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
    """The keys by the names of their files, and a sentence for each file that could not be read: in its place there is what
    was ``known`` of it. A folder that is not there has no keys.

    Raises OSError for a folder that cannot be read.
    """
    known, found, complaints = known or {}, {}, []
    for name, stamp in _files(folder):
        before = known.get(name)
        if before is not None and before.stamp == stamp:
            found[name] = before
            continue
        try:
            found[name] = KeyFile(stamp, _read(folder / name))
        except (OSError, UnusableKey) as error:
            why = error.strerror if isinstance(error, OSError) else error
            complaints.append(f"The key {folder / name} cannot be used: {why}.")
            if before is not None:
                found[name] = before
    return found, complaints


def _files(folder: Path) -> list[tuple[str, Stamp]]:
    try:
        with os.scandir(folder) as entries:
            # A mounted secret has links, and folders with names that begin with dots.
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
        # Gone since, or a link to nowhere: `_read` will say so.
        return (0, 0, 0)
    return (about.st_mtime_ns, about.st_size, about.st_ino)


def _read(file: Path) -> Key:
    # A pipe would be waited at, and a file without end be read.
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        raise UnusableKey(f"it is no file of up to {MAX_BYTES} bytes")
    try:
        members = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise UnusableKey("it is no JSON") from None
    key = Key.of_jwk(members)
    if file.stem != key.kid:
        raise UnusableKey("its name is not its `kid`")
    return key


def write_key(folder: Path, key: Key) -> None:
    """Written beside and moved into place: whoever reads meanwhile finds the old file or the new, and so does whoever reads
    after a crash.

    Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Readable by its owner alone.
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
    """The server must be able to read what root has written, and what another has retired: it would go on with what it
    knows. Windows has nothing for it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    if not is_secret and hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o644)


def _sync(folder: Path) -> None:
    """So that the name is on disk too. Windows has nothing for it."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_key(folder: Path, key: Key) -> None:
    (folder / f"{key.kid}.json").unlink(missing_ok=True)


def writable_by_others(folder: Path) -> bool:
    """Whether anyone on this machine may put a key of their own there, and so be anyone."""
    names, _ = read_keys(folder)
    places = [folder, *(folder / name for name in names)]
    return any(place.stat().st_mode & stat.S_IWOTH for place in places)


def readable_by_others(folder: Path) -> bool:
    """Whether anyone on this machine may read a private key. A group may: mounted secrets are shared so with their service."""
    files, _ = read_keys(folder)
    return any(
        file.key.private and (folder / name).stat().st_mode & stat.S_IROTH
        for name, file in files.items()
    )
