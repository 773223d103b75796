"""How a process ends for a reason that its operator can change: one line and exit status 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from db.errors import reason
from db.migrations import SchemaMismatch


@contextmanager
def exit_in_a_line() -> Iterator[None]:
    """Turn errors of files, sockets, memory and the database into SystemExit with one line.

    Any other error is a fault of this program and keeps its traceback. What cannot be used as a
    setting is SystemExit with its line already.
    """
    try:
        try:
            yield
        finally:
            _flush_output()
    except BrokenPipeError:
        # As `gatehouse schema | head`: the reader has what it wants.
        _drop_output()
        raise SystemExit(1) from None
    except (OSError, MemoryError, SchemaMismatch, SQLAlchemyError) as error:
        _drop_output()
        raise SystemExit(f"gatehouse: {_line(error)}") from None


def _line(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        return why if error.filename is None else f"{error.filename}: {why}"
    return reason(error)


def _flush_output() -> None:
    """Write what was printed. The interpreter would print a traceback if it failed."""
    if sys.stdout:
        sys.stdout.flush()


def _drop_output() -> None:
    """Forget what was printed, if it cannot be written."""
    try:
        _flush_output()
    except OSError:
        sys.stdout = None
