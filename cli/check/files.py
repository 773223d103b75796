"""Check that other users of this machine can neither read nor replace files with secrets."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from api.signing_keys.files import others_may
from cli.check.findings import Finding, ok, problem
from settings import Settings

_ENV = Path(".env")


def env_file(settings: Settings) -> Iterator[Finding]:
    """Check `.env` and its folder: who can write to the folder can put another `.env` there."""
    exposed = exposures([_ENV], _ENV.absolute().parent)
    yield from exposed
    if not exposed and _ENV.exists():
        yield ok(str(_ENV), "not accessible to other users")


def exposures(files: Iterable[Path], folder: Path, item: str = str(_ENV)) -> list[Finding]:
    """Return a problem for each file of secrets, and for their folder, that others can use."""
    found = [_exposure(file, item) for file in files if file.exists()]
    if others_may(stat.S_IWOTH, folder):
        found.append(
            problem(
                item,
                f"is in {folder}, where other users of this machine can replace it: run chmod o-w",
            )
        )
    return [finding for finding in found if finding]


def _exposure(file: Path, item: str) -> Finding | None:
    if others_may(stat.S_IWOTH, file):
        return problem(
            item, f"other users of this machine can change {file}: run chmod o-rwx {file}"
        )
    if others_may(stat.S_IROTH, file):
        return problem(item, f"other users of this machine can read {file}: run chmod o-r {file}")
    return None
