import subprocess
from pathlib import Path

import httpx

from tests.conftest import SECRET_KEY
from tests.servers import GATEHOUSE, Server, environment, running_server


def gatehouse(command: str, database_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEHOUSE, command],
        cwd=folder,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY, PORT="0"),
        capture_output=True,
        text=True,
        timeout=20,
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
    again = gatehouse("migrate", database_url, tmp_path)

    assert again.returncode == 0
    assert again.stdout == "Gatehouse: the database is up to date.\n"


def test_migrate_says_in_a_line_that_the_database_is_not_available(tmp_path: Path) -> None:
    failed = gatehouse("migrate", "postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse", tmp_path)

    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "hunter2" not in failed.stderr


def test_serve_waits_for_a_database_that_is_not_available(tmp_path: Path) -> None:
    unavailable = "postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse"
    with running_server(unavailable, SECRET_KEY, tmp_path) as server:
        assert httpx.get(f"{server.url}/health/ready").status_code == 503
        assert server.logged().count("The database is not available") == 1
        assert "Connection refused" in server.logged()
        assert "hunter2" not in server.logged()
