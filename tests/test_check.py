"""`gatehouse check`: checks of the configuration for production."""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from cli.check import check as check_configuration
from cli.check.mounts import file_system_of
from tests.redis_server import REDIS_PROGRAM, RedisServer
from tests.servers import GATEHOUSE, environment

GOOD = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "PUBLIC_URL": "https://accounts.example.com",
    "HOST": "0.0.0.0",
    "TRUSTED_PROXIES": "10.0.0.0/8, fc00::/7",
    "CORS_ORIGINS": "https://app.example.com",
}


@dataclass(frozen=True)
class Run:
    status: object
    output: str

    def lines(self, level: str) -> list[str]:
        return [
            line.split(maxsplit=1)[1] for line in self.output.splitlines() if line.startswith(level)
        ]

    def items(self, level: str) -> list[str]:
        """Return the settings with a finding at this level, without the messages."""
        return [line.partition(":")[0] for line in self.lines(level)]


class Check(Protocol):
    def __call__(self, **settings: str) -> Run: ...


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Run `gatehouse check` on a good configuration with the given changes."""
    monkeypatch.chdir(tmp_path)

    def run(**settings: str) -> Run:
        for name, value in (GOOD | settings).items():
            monkeypatch.setenv(name, value)
        try:
            check_configuration.main([], standalone_mode=False)
        except SystemExit as end:
            return Run(end.code, capsys.readouterr().out)
        return Run(0, capsys.readouterr().out)

    return run


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield the address of a server that accepts connections and never sends anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_good_configuration_passes(database_url: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [GATEHOUSE, "check"],
        cwd=tmp_path,
        env=environment(**GOOD | {"DATABASE_URL": database_url}),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert run.returncode == 0, run.stdout
    assert all(line.startswith("ok ") for line in run.stdout.splitlines()[:-1])
    assert run.stdout.endswith("Gatehouse: no problems, no warnings.\n")


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("ENVIRONMENT", "development", "set it to production"),
        ("SECRET_KEY", "a" * 64, "gatehouse secret"),
        ("SECRET_KEY", "0123456789abcdef" * 4, "gatehouse secret"),
        ("SECRET_KEY", "changeme-" * 10, "gatehouse secret"),
        ("SECRET_KEY", "replace-me-with-a-long-random-secret-of-32-bytes", "gatehouse secret"),
        ("SECRET_KEY", "correct horse battery staple correct horse", "gatehouse secret"),
        ("SECRET_KEY_FALLBACKS", "changeme-" * 10, "gatehouse secret"),
        ("GRAPHIQL", "true", "for developers"),
        ("PUBLIC_URL", "", "http://0.0.0.0:8000"),
        ("PUBLIC_URL", "http://accounts.example.com", "unencrypted"),
        ("TRUSTED_PROXIES", "10.0.0.1, 0.0.0.0/0", "trusts 0.0.0.0/0:"),
        ("TRUSTED_PROXIES", "::/0", "trusts ::/0:"),
        ("TRUSTED_PROXIES", "0.0.0.0/1, 128.0.0.0/1", "any address"),
        ("TRUSTED_PROXIES", "8.0.0.0/8", "any address"),
        ("TRUSTED_PROXIES", "2000::/7", "any address"),
        ("CORS_ORIGINS", "*", "any website"),
        ("CORS_ORIGINS", "https://a.example, http://b.example", "has http://b.example:"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/gatehouse.db", "cannot write to"),
    ],
)
def test_a_problem_is_said_plainly(check: Check, setting: str, value: str, says: str) -> None:
    run = check(**{setting: value})
    problems = [line for line in run.lines("problem") if line.startswith(f"{setting}: ")]

    assert run.status == 1
    assert len(problems) == 1
    assert says in problems[0]
    assert setting != "SECRET_KEY" or value not in run.output


@pytest.mark.parametrize(
    ("memory", "passes", "status"),
    [("19456", "2", 0), ("47104", "1", 0), ("19456", "1", 1), ("7168", "4", 1), ("1024", "50", 1)],
)
def test_hashes_cost_what_owasp_says(check: Check, memory: str, passes: str, status: int) -> None:
    run = check(ARGON2_MEMORY_KIB=memory, ARGON2_TIME_COST=passes)

    assert run.status == status
    assert ("gatehouse tune" in run.output) == bool(status)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("INTROSPECTION", "true"),
        ("SUGGESTIONS", "true"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "1440"),
    ],
)
def test_what_may_be_meant_is_a_warning(check: Check, setting: str, value: str) -> None:
    run = check(**{setting: value})

    assert run.status == 0
    assert run.items("warning") == [setting]


def test_metrics_for_others_are_a_warning(check: Check) -> None:
    assert check(METRICS_PORT="9100").items("warning") == []
    assert check(METRICS_PORT="9100", METRICS_HOST="0.0.0.0").items("warning") == ["METRICS_HOST"]


def test_without_proxies_it_warns_that_there_is_no_tls(check: Check) -> None:
    run = check(TRUSTED_PROXIES="")

    assert run.items("warning") == ["HOST", "TRUSTED_PROXIES"]


def test_workers_that_count_for_themselves_are_a_warning(check: Check) -> None:
    run = check(WORKERS="2")

    assert run.status == 0
    assert run.items("warning") == ["RATE_LIMIT_STORAGE_URL"]


def test_workers_that_want_more_connections_than_there_are_are_a_problem(
    check: Check, database_url: str
) -> None:
    run = check(DATABASE_URL=database_url, WORKERS="256")

    assert run.items("problem") == ([] if database_url.startswith("sqlite") else ["DATABASE_URL"])


def test_a_private_key_that_everyone_may_read_is_a_problem(check: Check, tmp_path: Path) -> None:
    made = subprocess.run(
        [GATEHOUSE, "keys", "new"],
        cwd=tmp_path,
        env=environment(**GOOD | {"ALGORITHM": "ES256"}),
        timeout=30,
    )
    kept = check(ALGORITHM="ES256")
    [key] = (tmp_path / "keys").iterdir()
    key.chmod(0o644)

    assert made.returncode == kept.status == 0
    assert check(ALGORITHM="ES256").items("problem") == ["SIGNING_KEYS_DIR"]


def test_a_folder_where_everyone_may_put_a_key_is_a_problem(check: Check, tmp_path: Path) -> None:
    subprocess.run(
        [GATEHOUSE, "keys", "new"],
        cwd=tmp_path,
        env=environment(**GOOD | {"ALGORITHM": "ES256"}),
        timeout=30,
        check=True,
    )
    (tmp_path / "keys").chmod(0o777)

    assert check(ALGORITHM="ES256").items("problem") == ["SIGNING_KEYS_DIR"]


def test_random_secrets_of_any_alphabet_are_good(check: Check) -> None:
    for secret in (secrets.token_hex(32), secrets.token_urlsafe(32), secrets.token_hex(64)):
        assert "SECRET_KEY: looks random" in check(SECRET_KEY=secret).output


def test_it_refuses_what_serve_refuses(check: Check) -> None:
    run = check(LOGIN_LIMIT_PER_ACCOUNT="often")

    assert str(run.status).startswith("gatehouse: LOGIN_LIMIT_PER_ACCOUNT must be rates")


def test_tables_that_are_not_there_are_a_problem_where_serve_makes_none(
    check: Check, empty_database_url: str, tmp_path: Path
) -> None:
    run = check(DATABASE_URL=empty_database_url)

    if empty_database_url.startswith("sqlite"):
        assert run.status == 0
        assert "will create the file" in run.output
        assert list(tmp_path.iterdir()) == []
    else:
        assert run.status == 1
        assert "run `gatehouse migrate`" in run.output


def test_a_file_that_is_no_database_is_a_problem(check: Check, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, and longer than a hundred bytes " * 5)
    run = check(DATABASE_URL="sqlite:///notes.db")

    assert run.lines("problem") == ["DATABASE_URL: cannot be used: file is not a database"]


def test_a_postgresql_that_loses_writes_is_a_problem(check: Check, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("is about PostgreSQL")
    run = check(DATABASE_URL=f"{database_url}?options=-c%20synchronous_commit%3Doff")

    assert run.status == 1
    assert any(
        "may lose committed transactions: synchronous_commit off" in line
        for line in run.lines("problem")
    )


def test_a_role_that_may_not_write_is_a_problem(check: Check, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("is about PostgreSQL")
    role = f"gatehouse_test_{secrets.token_hex(4)}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
        connection.execute(f"GRANT INSERT, DELETE ON users, sessions, posts TO {role}".encode())
        try:
            run = check(DATABASE_URL=f"{database_url}?options=-c%20role%3D{role}")
        finally:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())

    assert run.lines("problem") == [
        "DATABASE_URL: the role may not INSERT on security_events, DELETE on security_events"
    ]


def test_servers_that_are_not_available_are_a_line_each_without_a_password(check: Check) -> None:
    run = check(
        DATABASE_URL="postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse",
        RATE_LIMIT_STORAGE_URL="redis://:hunter2@127.0.0.1:1/0",
    )

    assert run.status == 1
    assert run.items("problem") == ["DATABASE_URL", "RATE_LIMIT_STORAGE_URL"]
    assert "hunter2" not in run.output


def test_servers_that_never_answer_are_waited_for_a_few_seconds(check: Check, silent: str) -> None:
    start = time.monotonic()
    run = check(
        DATABASE_URL=f"postgresql://gatehouse:hunter2@{silent}/gatehouse",
        RATE_LIMIT_STORAGE_URL=f"redis://:hunter2@{silent}/0",
    )

    assert len(run.lines("problem")) == 2
    assert time.monotonic() - start < 15
    assert "hunter2" not in run.output


@pytest.mark.skipif(not REDIS_PROGRAM, reason="needs redis-server")
def test_redis_is_tried(check: Check, tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    run = check(RATE_LIMIT_STORAGE_URL=redis.url)
    redis.stop()

    assert run.status == 0
    assert "RATE_LIMIT_STORAGE_URL: Redis, shared by all processes" in run.output


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="needs Linux")
def test_file_systems_are_told_apart() -> None:
    assert file_system_of(Path("/proc/self")) == "proc"
    assert file_system_of(Path("/")) != "proc"
