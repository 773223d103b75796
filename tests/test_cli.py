import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from cli import commands
from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, Server, environment, running_server


def gatehouse(command: str, database_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEHOUSE, command],
        cwd=folder,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY, PORT="0"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


def test_serve_says_what_to_open(server: Server) -> None:
    assert f"open {server.url}/graphql" in server.logged()
    assert "server" not in httpx.get(f"{server.url}/health/live").headers


def test_serve_needs_a_database_that_is_up_to_date(empty_database_url: str, tmp_path: Path) -> None:
    if empty_database_url.startswith("postgresql"):
        refused = gatehouse("serve", empty_database_url, tmp_path)
        assert refused.returncode == 1
        assert refused.stderr.splitlines() == [
            "gatehouse: The database's schema is not up to date: run `gatehouse migrate`."
        ]
        assert gatehouse("migrate", empty_database_url, tmp_path).returncode == 0

    with running_server(empty_database_url, SECRET_KEY, tmp_path) as server:
        assert httpx.get(f"{server.url}/health/ready").status_code == 200


def test_migrate_may_be_run_again(database_url: str, tmp_path: Path) -> None:
    again = run(["migrate"], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=database_url)

    assert again.status == 0
    assert again.stdout == "Gatehouse: the database is up to date.\n"


def test_migrate_says_in_a_line_that_the_database_is_not_available(tmp_path: Path) -> None:
    unavailable = "postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse"
    failed = run(["migrate"], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=unavailable)

    assert failed.status == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "hunter2" not in failed.stderr


def test_serve_waits_for_a_database_that_is_not_available(tmp_path: Path) -> None:
    unavailable = "postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse"
    with running_server(unavailable, SECRET_KEY, tmp_path) as server:
        assert httpx.get(f"{server.url}/health/ready").status_code == 503
        assert server.logged().count("The database is not available") == 1
        assert "Connection refused" in server.logged()
        assert "hunter2" not in server.logged()


def arguments_of(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the path of a group and of all its subcommands."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from arguments_of(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(arguments_of(commands.gatehouse)), ids=" ".join)
def test_every_command_has_a_help_with_examples_that_can_be_run(command: tuple[str, ...]) -> None:
    runner = CliRunner()
    shown = runner.invoke(commands.gatehouse, [*command, "--help"])
    examples = re.findall(r"^ {4}(?:\w+=\w+ )?gatehouse ([^>&\n]+)", shown.stdout, re.M)

    assert shown.exit_code == 0
    assert "Examples:\n" in shown.stdout
    assert examples
    for example in examples:
        # With --help it is parsed and not run.
        assert runner.invoke(commands.gatehouse, [*example.split(), "--help"]).exit_code == 0


def test_the_version_is_that_of_the_package() -> None:
    run = CliRunner().invoke(commands.gatehouse, ["--version"], prog_name="gatehouse")

    assert (run.exit_code, run.stdout) == (0, f"gatehouse {version('gatehouse')}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_completes_commands_in_shells(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_GATEHOUSE_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as end:
        commands.main()

    assert end.value.code == 0
    assert f"_GATEHOUSE_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "Missing command. Try `gatehouse --help`."),
        ("keys", "Missing command. Try `gatehouse keys --help`."),
        ("start", "No such command 'start'. Try `gatehouse --help`."),
        ("keys retire", "Missing argument 'KID'. Try `gatehouse keys retire --help`."),
        ("keys retire -abc", "No such option '-a'. Try `gatehouse keys retire --help`."),
        ("check everything", "Got unexpected extra argument (everything). Try `gatehouse check"),
        ("serve --workers 0", "Invalid value for '--workers': use a whole number from 1 to 256."),
        ("serve --workers 257", "Invalid value for '--workers': use a whole number from 1 to 256."),
        ("tune --target-ms 0", "Invalid value for '--target-ms': use a whole number from 1 to"),
        ("tune --memory-mib 6", "Invalid value for '--memory-mib': use a whole number from 7 to"),
    ],
)
def test_a_usage_error_is_one_line_with_status_2(
    arguments: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gatehouse", *arguments.split()])
    with pytest.raises(SystemExit) as end:
        commands.main()
    out, err = capsys.readouterr()

    assert (end.value.code, out) == (2, "")
    assert err.startswith(f"gatehouse: {says}")
    assert len(err.splitlines()) == 1
