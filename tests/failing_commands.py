"""Commands that must end in a line and a status. They run in this process, which is quicker."""

from collections.abc import Callable

import pytest

from cli.check import check
from cli.migrate import migrate
from server.application import configure
from server.exit import exit_in_a_line
from tests.conftest import SECRET_KEY, settings_for

COMMANDS: dict[str, Callable[[str], object]] = {
    "migrate": lambda _: migrate.main([], standalone_mode=False),
    "check": lambda _: check.main([], standalone_mode=False),
    # What `gatehouse serve` does before it accepts connections.
    "serve": lambda url: configure(settings_for(url)),
}


def lines_of(
    command: str, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Run a command on a database, and return the lines that it prints. Fails if it succeeds."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    with pytest.raises(SystemExit) as end, exit_in_a_line():
        COMMANDS[command](url)
    assert end.value.code not in (None, 0)
    # Python prints the text of a SystemExit.
    return [*capsys.readouterr().out.splitlines(), *str(end.value.code).splitlines()]
