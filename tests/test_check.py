"""`gatehouse check`: checks of the configuration for production."""

import hashlib
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
import redis
from pydantic import SecretStr

from cli.check import check as check_configuration
from cli.check.connections import connections
from cli.check.mounts import file_system_of
from cli.check.rate_limits import rate_limit_sizes
from settings import Settings
from tests.commands import run
from tests.redis_groups import running_cluster
from tests.redis_server import REDIS_CLI, REDIS_PROGRAM, RedisServer, running_redis
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment

GOOD = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "PUBLIC_URL": "https://accounts.example.com",
    "HOST": "0.0.0.0",
    "TRUSTED_PROXIES": "10.0.0.0/8, fc00::/7",
    "CORS_ORIGINS": "https://app.example.com",
}


# In the documents of others, and random to look at.
PUBLISHED = {
    "FastAPI's tutorial": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "RFC 7515": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "a tutorial on Spring": "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "Supabase": "UpNVntn3cDxHJpq99YMc1T1AQgQpc8kfYTuRgBiYa15BLrx8etQoXz3gZv1/u2oq",
}

needs_modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


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


# Long enough for every check, and nowhere in an output.
# Fixed, since the names of tests contain it: each process of pytest-xdist must collect the same.
PASSWORD = "pe6vbFayRcP_UdUA"
KEY = SecretStr(GOOD["SECRET_KEY"])
INTROSPECTION = {"INTROSPECTION_CLIENT_SECRET": secrets.token_urlsafe(32)}

# Of the documentation of a public resolver; nothing connects to it.
PUBLIC = "2606:4700:4700::1111"


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


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file as `gatehouse migrate` leaves it."""
    folder = tmp_path_factory.mktemp("migrated")
    run(["migrate"], folder, **GOOD | {"DATABASE_URL": "sqlite:///g.db"})
    return folder / "g.db"


@contextmanager
def in_use(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold an SQLite file open, with a log that has what the file has not."""
    program = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "connection.execute('CREATE TABLE IF NOT EXISTS another (id)'); print(flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


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
        timeout=TIMEOUT_SECONDS,
    )

    *lines, last = run.stdout.splitlines()
    # The role of the tests makes databases.
    is_superuser = [line for line in lines if "the role is a superuser" in line]

    assert run.returncode == 0, run.stdout
    assert len(is_superuser) == database_url.startswith("postgresql")
    assert all(line.startswith("ok ") for line in lines if line not in is_superuser)
    assert last.startswith("Gatehouse: no problems, ")


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
        ("APP_URL", "http://app.example.com", "get secrets"),
        ("APP_URL", "https://localhost:3000", "their own machines"),
        ("TRUSTED_PROXIES", "10.0.0.1, 0.0.0.0/0", "trusts 0.0.0.0/0:"),
        ("TRUSTED_PROXIES", "::/0", "trusts ::/0:"),
        ("TRUSTED_PROXIES", "0.0.0.0/1, 128.0.0.0/1", "any address"),
        ("TRUSTED_PROXIES", "8.0.0.0/8", "any address"),
        ("TRUSTED_PROXIES", "2000::/7", "any address"),
        ("TRUSTED_PROXIES", "::ffff:0:0/96", "any address"),
        ("TRUSTED_PROXIES", "64:ff9b::8.0.0.0/104", "any address"),
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


def test_the_records_for_the_sender_are_named(check: Check) -> None:
    run = check(
        MAIL_URL="smtp://user:a-password-of-mail@mail.example.net",
        MAIL_FROM="Example <accounts@example.com>",
        DATA_KEY=secrets.token_urlsafe(32),
    )
    [line] = [line for line in run.lines("ok") if line.startswith("MAIL_FROM: ")]

    assert run.status == 0
    assert "for example.com the SPF record" in line
    assert 'for _dmarc.example.com "v=DMARC1; p=quarantine"' in line
    assert "a-password-of-mail" not in run.output


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"PROVIDERS": "work"}, "PROVIDER_WORK_*: the issuer is missing"),
        ({"PROVIDERS": "google"}, "PROVIDER_GOOGLE_*: the client secret is missing"),
        ({"PROVIDERS": "apple"}, "PROVIDER_APPLE_*: the private key must be a PEM text"),
        ({"REDIRECT_ALLOWLIST": "http://app.example.com/a"}, "REDIRECT_ALLOWLIST"),
    ],
)
def test_a_provider_that_lacks_something_cannot_be_checked(
    check: Check, tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    (tmp_path / "key.p8").write_text("no key")
    apple = {
        "PROVIDER_APPLE_CLIENT_ID": "a",
        "PROVIDER_APPLE_TEAM_ID": "b",
        "PROVIDER_APPLE_KEY_ID": "c",
        "PROVIDER_APPLE_PRIVATE_KEY_FILE": "key.p8",
    }
    ids = {"PROVIDER_WORK_CLIENT_ID": "a", "PROVIDER_GOOGLE_CLIENT_ID": "a"}
    run = check(DATA_KEY=secrets.token_urlsafe(32), **apple, **ids, **settings)

    assert says in str(run.status)
    assert "no key" not in str(run.status)


def test_a_pipe_in_place_of_the_key_for_apple_is_not_waited_for(
    check: Check, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "key.p8")
    run = check(
        DATA_KEY=secrets.token_urlsafe(32),
        PROVIDERS="apple",
        PROVIDER_APPLE_CLIENT_ID="a",
        PROVIDER_APPLE_PRIVATE_KEY_FILE="key.p8",
    )

    assert "PROVIDER_APPLE_PRIVATE_KEY_FILE cannot be read" in str(run.status)


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
    refused = [line for line in run.lines("problem") if "connections" in line]

    assert len(refused) == (0 if database_url.startswith("sqlite") else 1)


@needs_modes
def test_a_private_key_that_everyone_may_read_is_a_problem(check: Check, tmp_path: Path) -> None:
    made = run(["keys", "new"], tmp_path, **GOOD | {"ALGORITHM": "ES256"})
    kept = check(ALGORITHM="ES256")
    [key] = (tmp_path / "keys").iterdir()
    key.chmod(0o644)

    assert made.status == kept.status == 0
    assert check(ALGORITHM="ES256").items("problem") == ["SIGNING_KEYS_DIR"]


@needs_modes
def test_a_folder_where_everyone_may_put_a_key_is_a_problem(check: Check, tmp_path: Path) -> None:
    run(["keys", "new"], tmp_path, **GOOD | {"ALGORITHM": "ES256"})
    (tmp_path / "keys").chmod(0o777)

    assert check(ALGORITHM="ES256").items("problem") == ["SIGNING_KEYS_DIR"]
    # A key verifies tokens also where a secret signs them.
    assert check(ALGORITHM="HS256").items("problem") == ["SIGNING_KEYS_DIR"]


def test_a_stray_file_among_keys_that_do_not_sign_is_a_warning(
    check: Check, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "anything.json").write_text("{}")
    run = check()

    assert run.status == 0
    assert run.items("warning") == ["SIGNING_KEYS_DIR"]
    assert "anything.json cannot be used" in run.output
    assert "anything.json cannot be used" in str(check(ALGORITHM="ES256").status)


def test_a_folder_of_keys_that_is_none_is_a_warning(check: Check, tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    run = check()

    assert run.status == 0
    assert run.lines("warning") == ["SIGNING_KEYS_DIR: cannot be read: Not a directory"]


def test_every_rate_limit_is_asked_about() -> None:
    limits = {name.upper() for name in Settings.model_fields if "_limit_per_" in name}

    assert {finding.item for finding in rate_limit_sizes(Settings(secret_key=KEY))} == limits


@needs_modes
@pytest.mark.parametrize(
    ("mode", "level"), [(0o640, "ok"), (0o604, "warning"), (0o444, "warning"), (0o602, "problem")]
)
def test_the_files_of_secrets_are_for_this_server_alone(
    check: Check, tmp_path: Path, mode: int, level: str
) -> None:
    (tmp_path / "key").write_text(GOOD["SECRET_KEY"])
    (tmp_path / "key").chmod(mode)
    run = check(SECRET_KEY="", GATEHOUSE_SECRET_KEY_FILE="key")

    assert "GATEHOUSE_SECRET_KEY_FILE" in run.items(level)


def test_it_checks_for_the_workers_that_it_is_told_of(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = check(WORKERS="1", HASHING_THREADS="1")
    check_configuration.main(["--workers", "2"], standalone_mode=False)
    told = Run(0, capsys.readouterr().out)

    assert "RATE_LIMIT_STORAGE_URL" in alone.items("ok")
    assert "RATE_LIMIT_STORAGE_URL" in told.items("warning")
    assert "each of 2 workers has its own rate limits" in told.output
    assert "for 2 workers, 2 hashes" in told.output


@needs_modes
@pytest.mark.parametrize(
    ("name", "mode", "says"),
    [
        (".env", 0o666, "can change .env"),
        (".env", 0o644, "can read .env"),
        (".env", 0o602, "can change .env"),
        (".", 0o777, "can replace it"),
    ],
)
def test_settings_that_other_users_can_use_are_a_problem(
    check: Check, tmp_path: Path, name: str, mode: int, says: str
) -> None:
    (tmp_path / ".env").touch(mode=0o640)
    (tmp_path / "data").mkdir(mode=0o700)
    kept = check(DATABASE_URL="sqlite:///data/g.db")
    (tmp_path / name).chmod(mode)
    run = check(DATABASE_URL="sqlite:///data/g.db")

    assert kept.items("problem") == []
    assert run.items("problem") == [".env"]
    assert says in run.output


@needs_modes
@pytest.mark.parametrize(
    ("name", "mode"),
    [("g.db", 0o644), ("g.db", 0o622), ("g.db-wal", 0o644), ("g.db-shm", 0o606), (".", 0o703)],
)
def test_a_database_file_that_other_users_can_use_is_a_problem(
    check: Check, migrated: Path, tmp_path: Path, name: str, mode: int
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o750)
    shutil.copy(migrated, folder / "g.db")
    with in_use(folder / "g.db"):
        kept = check(DATABASE_URL="sqlite:///data/g.db")
        (folder / name).chmod(mode)
        run = check(DATABASE_URL="sqlite:///data/g.db")

    assert kept.items("problem") == []
    assert run.items("problem") == ["DATABASE_URL"]


@needs_modes
def test_gatehouse_makes_a_database_file_for_its_owner_only(migrated: Path) -> None:
    assert migrated.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("setting", "document"),
    [
        *(("SECRET_KEY", document) for document in PUBLISHED),
        ("SECRET_KEY_FALLBACKS", "RFC 7515"),
        ("INTROSPECTION_CLIENT_SECRET", "RFC 7515"),
        ("DATA_KEY", "RFC 7515"),
        ("DATA_KEY_FALLBACKS", "RFC 7515"),
    ],
)
def test_a_secret_that_others_published_is_a_problem(
    check: Check, setting: str, document: str
) -> None:
    secret = PUBLISHED[document]
    run = check(**{"INTROSPECTION_CLIENT_ID": "service", **INTROSPECTION, setting: secret})

    assert run.items("problem") == [setting]
    assert "public document" in run.output
    assert secret not in run.output


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_has_the_size_of_its_hash(check: Check, algorithm: str, size: int) -> None:
    def status(size: int, setting: str) -> object:
        return check(**{"ALGORITHM": algorithm, setting: secrets.token_urlsafe(64)[:size]}).status

    for setting in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        assert status(size, setting) == 0
        assert str(status(size - 1, setting)).startswith(f"gatehouse: {setting} must")


def test_a_secret_has_one_purpose(check: Check) -> None:
    key = GOOD["SECRET_KEY"]
    run = check(INTROSPECTION_CLIENT_ID="service", INTROSPECTION_CLIENT_SECRET=key)

    assert run.items("problem") == ["INTROSPECTION_CLIENT_SECRET"]
    assert check(SECRET_KEY_FALLBACKS=key).items("warning") == ["SECRET_KEY_FALLBACKS"]


def test_the_data_key_is_not_the_secret_key(check: Check) -> None:
    assert check(DATA_KEY=GOOD["SECRET_KEY"]).items("problem") == ["DATA_KEY"]
    assert check(DATA_KEY=secrets.token_urlsafe(64)).items("problem") == []


@pytest.mark.parametrize(
    ("setting", "limit", "is_too_high"),
    [
        ("LOGIN_LIMIT_PER_ACCOUNT", "1000000/second", True),
        ("LOGIN_LIMIT_PER_ACCOUNT", "5/minute", True),
        ("LOGIN_LIMIT_PER_ACCOUNT", "100/7 minutes;1000/day", True),
        ("LOGIN_LIMIT_PER_ACCOUNT", "50/minute;100/hour", False),
        ("LOGIN_LIMIT_PER_ACCOUNT", "100/day", False),
        ("LOGIN_LIMIT_PER_NETWORK", "1000000/second", True),
        ("LOGIN_LIMIT_PER_NETWORK", "6000/hour", False),
        ("REGISTER_LIMIT_PER_NETWORK", "1000000/month", True),
        ("REFRESH_LIMIT_PER_NETWORK", "1000000/second", True),
        ("REFRESH_LIMIT_PER_NETWORK", "60000/minute", False),
    ],
)
def test_a_rate_limit_that_limits_nothing_is_a_problem(
    check: Check, setting: str, limit: str, is_too_high: bool
) -> None:
    assert check(**{setting: limit}).items("problem") == ([setting] if is_too_high else [])


@pytest.mark.parametrize(
    ("setting", "value", "level"),
    [
        ("LOG_LEVEL", "ERROR", "warning"),
        ("LOG_LEVEL", "WARNING", "warning"),
        ("METRICS_PORT", "8000", "problem"),
        ("PUBLIC_URL", "https://localhost", "problem"),
        ("PUBLIC_URL", "https://127.0.0.1:8443", "problem"),
        ("PUBLIC_URL", "https://[::1]", "problem"),
        ("CORS_ORIGINS", "https://localhost:5173", "warning"),
        ("HASHING_THREADS", "256", "warning"),
    ],
)
def test_what_does_not_fit_is_found(check: Check, setting: str, value: str, level: str) -> None:
    assert setting in check(**{setting: value}).items(level)


def test_hashes_that_need_more_memory_than_there_is_are_a_problem(check: Check) -> None:
    run = check(WORKERS="256", HASHING_THREADS="256")

    assert run.items("problem") == ["HASHING_THREADS"]
    assert "up to 1353216 MiB" in run.output
    assert "65536 hashes and 256 pictures at a time" in run.output


@pytest.mark.parametrize(
    ("setting", "url", "says"),
    [
        ("DATABASE_URL", "postgresql://postgres:postgres@127.0.0.1:1/g", ["guessed"]),
        ("DATABASE_URL", "postgresql://app:app@127.0.0.1:1/g", ["guessed"]),
        ("DATABASE_URL", "postgresql://app:P%61ssword1@127.0.0.1:1/g", ["guessed"]),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}@127.0.0.1:1/g", []),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}@[{PUBLIC}]:1/g", ["unencrypted"]),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}@[{PUBLIC}]:1/g?sslmode=require", []),
        ("RATE_LIMIT_STORAGE_URL", "redis://:foobared@127.0.0.1:1/0", ["guessed"]),
        ("RATE_LIMIT_STORAGE_URL", "redis://127.0.0.1:1/0", []),
        ("RATE_LIMIT_STORAGE_URL", "unix://:foobared@/no/redis.sock", ["guessed"]),
        ("RATE_LIMIT_STORAGE_URL", f"rediss://:{PASSWORD}@[{PUBLIC}]:1/0", []),
        (
            "RATE_LIMIT_STORAGE_URL",
            f"redis+cluster://127.0.0.1:1,[{PUBLIC}]:1",
            ["unencrypted", "no password"],
        ),
        ("RATE_LIMIT_STORAGE_URL", f"redis://[{PUBLIC}]:1/0", ["unencrypted", "no password"]),
    ],
)
def test_connections_that_others_could_use_are_a_problem(
    setting: str, url: str, says: list[str]
) -> None:
    settings = Settings(secret_key=KEY, **{setting.lower(): url})  # type: ignore[arg-type]
    found = list(connections(settings))
    problems = [finding.message for finding in found if finding.level == "problem"]

    assert {finding.item for finding in found} == {setting}
    assert len(problems) == len(says)
    assert all(text in message for text, message in zip(says, problems, strict=True))
    assert PASSWORD not in str(found)


SENTINELS = "RATE_LIMIT_STORAGE_URL (Sentinels)"


@pytest.mark.parametrize(
    ("url", "items"),
    [
        (f"redis+sentinel://:{PASSWORD}@127.0.0.1:1/s?sentinel_password=password", [SENTINELS]),
        (
            f"redis+sentinel://:{PASSWORD}@127.0.0.1:1/s?sentinel_username=watch"
            "&sentinel_password=watch",
            [SENTINELS],
        ),
        (
            f"redis+sentinel://:foobared@127.0.0.1:1/s?sentinel_password={PASSWORD}",
            ["RATE_LIMIT_STORAGE_URL"],
        ),
        (f"rediss+sentinel://:{PASSWORD}@[{PUBLIC}]:1/s", [SENTINELS]),
        (f"rediss+sentinel://:{PASSWORD}@[{PUBLIC}]:1/s?sentinel_password={PASSWORD}", []),
        ("redis+sentinel://127.0.0.1:1/s", []),
    ],
)
def test_sentinels_have_a_password_of_their_own(url: str, items: list[str]) -> None:
    found = list(connections(Settings(secret_key=KEY, rate_limit_storage_url=SecretStr(url))))

    assert [finding.item for finding in found] == ["RATE_LIMIT_STORAGE_URL", SENTINELS]
    assert [finding.item for finding in found if finding.level == "problem"] == items
    assert PASSWORD not in str(found)


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [
        (f"redis://:{PASSWORD}@[{PUBLIC}]:1", "rediss://"),
        (
            f"redis+sentinel://:{PASSWORD}@[{PUBLIC}]:1/s?sentinel_password={PASSWORD}",
            "rediss+sentinel://",
        ),
        (f"redis+cluster://:{PASSWORD}@[{PUBLIC}]:1", "rediss+cluster://"),
    ],
)
def test_the_url_of_redis_that_encrypts_names_as_many_servers(url: str, encrypted: str) -> None:
    found = list(connections(Settings(secret_key=KEY, rate_limit_storage_url=SecretStr(url))))

    assert all(finding.message.endswith(f": use {encrypted}") for finding in found)


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


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the time of the last change and the content of each file, and those of the folder."""
    files = {file.name: file for file in folder.iterdir()}
    content = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}
    return {".": (folder.stat().st_mtime_ns, "")} | {
        name: (files[name].stat().st_mtime_ns, content[name]) for name in files
    }


@pytest.mark.parametrize(
    "state", ["closed", "in use", "killed", "without its log", "not in WAL mode", "empty"]
)
def test_check_changes_nothing_in_a_database_file(
    check: Check, migrated: Path, tmp_path: Path, state: str
) -> None:
    file = tmp_path / "g.db"
    shutil.copy(migrated, file)
    if state == "empty":
        file.write_bytes(b"")
    if state == "not in WAL mode":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    if state == "without its log":
        (tmp_path / "g.db-shm").write_bytes(b"of a log that is gone")
        (tmp_path / "g.db-shm").chmod(0o600)
    file.chmod(0o600)
    with in_use(file) if state in ("in use", "killed") else nullcontext() as process:
        if process and state == "killed":
            process.kill()
            process.wait(TIMEOUT_SECONDS)
        before = snapshot(tmp_path)
        run = check(DATABASE_URL="sqlite:///g.db")
        after = snapshot(tmp_path)

    assert run.status == 0
    assert ("will create its tables" if state == "empty" else "up to date") in run.output
    assert after == before


def test_a_log_without_its_index_is_not_read(check: Check, migrated: Path, tmp_path: Path) -> None:
    shutil.copy(migrated, tmp_path / "g.db")
    with in_use(tmp_path / "g.db") as process:
        process.kill()
        process.wait(TIMEOUT_SECONDS)
    (tmp_path / "g.db-shm").unlink()
    before = snapshot(tmp_path)
    run = check(DATABASE_URL="sqlite:///g.db")

    assert run.items("warning") == ["DATABASE_URL"]
    assert "tables were not read" in run.output
    assert snapshot(tmp_path) == before


def set_version(file: Path, version: str) -> None:
    """Let the tables of an SQLite file have another version."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        [table] = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%version_num%'"
        ).fetchone()
        connection.execute(f"UPDATE {table} SET version_num = ?", [version])
        connection.execute(f"UPDATE {table} SET oldest_compatible = ?", [version])


def test_tables_of_a_newer_release_are_a_problem(
    check: Check, migrated: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated, tmp_path / "g.db")
    set_version(tmp_path / "g.db", "9999")
    run = check(DATABASE_URL="sqlite:///g.db")

    assert run.items("problem") == ["DATABASE_URL"]
    assert "is newer than this program" in run.output


def test_tables_of_an_older_release_are_migrated_by_serve(
    check: Check, migrated: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated, tmp_path / "g.db")
    set_version(tmp_path / "g.db", "0001")

    assert "`gatehouse serve` will migrate it" in check(DATABASE_URL="sqlite:///g.db").output


def test_tables_of_another_program_are_a_warning(check: Check, tmp_path: Path) -> None:
    (tmp_path / "g.db").touch(mode=0o600)
    with closing(sqlite3.connect(tmp_path / "g.db")) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    run = check(DATABASE_URL="sqlite:///g.db")

    assert run.items("warning") == ["DATABASE_URL"]
    assert "another program" in run.output


def test_a_clock_far_from_the_databases_is_a_problem(check: Check, empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        pytest.skip("is about PostgreSQL")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            "$$ SELECT pg_catalog.clock_timestamp() - interval '1 minute' $$"
        )
    path = "options=-c%20search_path%3Dpublic,pg_catalog"
    kept = check(DATABASE_URL=empty_database_url)
    run = check(DATABASE_URL=f"{empty_database_url}?{path}")

    assert "has the time of this machine" in kept.output
    assert "has a clock 60 seconds apart" in run.output


def test_a_file_that_is_no_database_is_a_problem(check: Check, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, and longer than a hundred bytes " * 5)
    (tmp_path / "notes.db").chmod(0o600)
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
        connection.execute(
            "GRANT INSERT, UPDATE, DELETE ON users, sessions, posts, tickets, outbox, totp_factors,"
            f" recovery_codes, passkeys, identities, user_roles TO {role}".encode()
        )
        try:
            run = check(DATABASE_URL=f"{database_url}?options=-c%20role%3D{role}")
        finally:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())

    assert run.lines("problem") == [
        "DATABASE_URL: the role may not INSERT on security_events, UPDATE on security_events,"
        " DELETE on security_events"
    ]


def test_servers_that_are_not_available_are_a_line_each_without_a_password(check: Check) -> None:
    run = check(
        DATABASE_URL=f"postgresql://gatehouse:{PASSWORD}@127.0.0.1:1/gatehouse",
        DATABASE_READ_URL=f"postgresql://gatehouse:{PASSWORD}@127.0.0.1:2/gatehouse",
        RATE_LIMIT_STORAGE_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0",
    )

    assert run.status == 1
    assert run.items("problem") == ["DATABASE_URL", "DATABASE_READ_URL", "RATE_LIMIT_STORAGE_URL"]
    assert PASSWORD not in run.output


def test_servers_that_never_answer_are_waited_for_a_few_seconds(check: Check, silent: str) -> None:
    start = time.monotonic()
    run = check(
        DATABASE_URL=f"postgresql://gatehouse:{PASSWORD}@{silent}/gatehouse",
        DATABASE_READ_URL=f"postgresql://gatehouse:{PASSWORD}@{silent}/gatehouse",
        RATE_LIMIT_STORAGE_URL=f"redis://:{PASSWORD}@{silent}/0",
    )

    assert len(run.lines("problem")) == 3
    assert time.monotonic() - start < 18
    assert PASSWORD not in run.output


@pytest.mark.skipif(not REDIS_PROGRAM, reason="needs redis-server")
def test_redis_is_tried(check: Check, tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    run = check(RATE_LIMIT_STORAGE_URL=redis.url)
    redis.stop()

    assert run.status == 0
    assert "RATE_LIMIT_STORAGE_URL: Redis, shared by all processes" in run.output


@pytest.mark.skipif(not REDIS_PROGRAM, reason="needs redis-server")
def test_check_changes_nothing_in_redis(check: Check, tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with redis.Redis.from_url(server.url) as client:
        client.set("somebody's", "key")
        run = check(RATE_LIMIT_STORAGE_URL=server.url)
        keys = client.keys()
    server.stop()

    assert run.status == 0
    assert keys == [b"somebody's"]


@pytest.mark.skipif(not REDIS_PROGRAM, reason="needs redis-server")
@pytest.mark.parametrize(
    ("command", "word"),
    [("REPLICAOF 127.0.0.1 1", "read only"), ("CONFIG SET maxmemory 1", "maxmemory")],
)
def test_a_redis_that_accepts_no_writes_is_a_problem(
    check: Check, tmp_path: Path, command: str, word: str
) -> None:
    with running_redis(tmp_path) as server, server.client() as client:
        client.execute_command(*command.split())
        run = check(RATE_LIMIT_STORAGE_URL=server.url)

    [line] = run.lines("problem")
    assert line.startswith("RATE_LIMIT_STORAGE_URL: cannot use Redis: ")
    assert word in line


@pytest.mark.skipif(not REDIS_CLI, reason="needs redis-cli")
def test_a_cluster_is_said_to_be_one(check: Check, tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster:
        as_a_cluster = check(RATE_LIMIT_STORAGE_URL=cluster.url)
        as_one_server = check(RATE_LIMIT_STORAGE_URL=cluster.nodes[0].url)

    assert as_a_cluster.lines("problem") == []
    assert as_one_server.lines("problem") == [
        "RATE_LIMIT_STORAGE_URL: cannot use Redis: this is a node of a Cluster, so begin the URL"
        " with redis+cluster://"
    ]


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="needs Linux")
def test_file_systems_are_told_apart() -> None:
    assert file_system_of(Path("/proc/self")) == "proc"
    assert file_system_of(Path("/")) != "proc"
