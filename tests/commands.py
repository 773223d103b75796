"""The commands of `gatehouse`, run in this process: a new one needs more than a second to start."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from cli import commands
from server.application import configure
from server.exit import exit_in_a_line
from settings import Settings, load_settings
from tests.servers import CHEAP_SETTINGS


@dataclass(frozen=True)
class Run:
    """How a command ended, and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return [*self.stdout.splitlines(), *self.stderr.splitlines()]


def run(arguments: Sequence[str], folder: Path, **variables: str) -> Run:
    """Run a command in a folder, with its `.env` and these settings.

    `serve` does what it does before it listens, and must fail.
    """
    command = _start_to_serve if arguments[0] == "serve" else commands.main
    status, message = 0, ""
    with process_of(arguments, folder, variables) as (out, err):
        try:
            command()
        except SystemExit as end:
            # As Python exits: the text of a SystemExit is printed.
            is_text = isinstance(end.code, str)
            status, message = (1, f"{end.code}\n") if is_text else (int(end.code or 0), "")
    return Run(status, out.getvalue(), err.getvalue() + message)


def _start_to_serve() -> None:
    with exit_in_a_line():
        configure(load_settings())
    raise AssertionError("nothing keeps it from serving")


@contextmanager
def process_of(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> Iterator[tuple[StringIO, StringIO]]:
    """Make this process like that of a new command: its folder, environment, .env and output."""
    out, err = StringIO(), StringIO()
    with (
        chdir(folder),
        patch.dict(os.environ, {**CHEAP_SETTINGS, **variables}),
        patch.dict(Settings.model_config, env_file=".env"),
        patch("sys.argv", ["gatehouse", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        yield out, err
