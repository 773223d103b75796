"""Check that other users of this machine can neither read nor replace files with secrets."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from api.signing_keys.files import others_may
from cli.check.findings import Finding, ok, problem, warning
from settings import Settings

_ENV = Path(".env")


def env_file(settings: Settings) -> Iterator[Finding]:
    """Check `.env` and its folder: who can write to the folder can put another `.env` there."""
    exposed = exposures([_ENV], _ENV.absolute().parent)
    yield from exposed
    if not exposed and _ENV.exists():
        yield ok(str(_ENV), "not accessible to other users")


def secret_files(settings: Settings) -> Iterator[Finding]:
    """Check the files of variables such as SECRET_KEY_FILE. Everyone may read those that Docker
    mounts, and a container has no other users."""
    for source in settings.sources.values():
        if source.file:
            yield from _secret_file(source.variable, Path(source.file))


def _secret_file(item: str, file: Path) -> Iterator[Finding]:
    try:
        if others_may(stat.S_IWOTH, file):
            yield problem(
                item, f"other users of this machine can change {file}: run chmod o-w {file}"
            )
        elif others_may(stat.S_IROTH, file):
            yield warning(item, f"other users of this machine, if there are any, can read {file}")
        else:
            yield ok(item, f"{file}, not accessible to other users")
    except OSError as error:
        yield problem(item, f"{file} cannot be read again: {error.strerror}")


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
