"""What an operator can change ends every command in a line and a status, never in a traceback."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import databases
from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.servers import CHEAP_SETTINGS, GATEHOUSE, TIMEOUT_SECONDS, environment

COMMANDS = [
    ("check",),
    ("config",),
    ("migrate",),
    ("prune",),
    ("keys", "list"),
    ("keys", "new"),
    ("schema",),
    ("secret",),
    ("users", "remove-factors", "--yes", "ada@example.com"),
]

# Values that are nearly right, so that they get past the first check. `hunter2` is never printed.
VALUES = {
    "DATABASE_URL": [
        "sqlite:///./gatehouse.db",
        "sqlite:///hunter2/no/folder.db",
        "sqlite:///keys",
        "SQLite:///./text.txt",
        "sqlite:///" + "a" * 5000,
        "postgresql://u:hunter2@127.0.0.1:1/db",
        "postgres://u:hunter2@127.0.0.1:1,127.0.0.1:2/db?target_session_attrs=any",
        "postgresql://u:hunter2@127.0.0.1:1/db?sslmode=hunter2",
        "postgresql://u:hunter2@127.0.0.1:1/db?prepare_threshold=0&autocommit=1",
        "postgresql://%2Fno%2Fsuch%2Ffolder/db?options=-c%20a%3Db",
        "postgresql://u:hunter2@127.0.0.1:port/db",
        "mysql://u:hunter2@127.0.0.1/db",
    ],
    "SECRET_KEY": [SECRET_KEY, "hunter2", "-----BEGIN PUBLIC KEY-----" + "a" * 40],
    "SECRET_KEY_FILE": [
        "text.txt",
        "keys",
        "hunter2",
        "/dev/zero",
        "/proc/1/mem",
        "a" * 5000,
        "\n",
    ],
    "DATABASE_URL_FILE": ["text.txt", "hunter2/no", "/dev/null", "/"],
    "SECRET_KEY_FALLBACKS": [f"{SECRET_KEY},{SECRET_KEY}", "hunter2,"],
    "ALGORITHM": ["HS512", "es256", "RS256", "none"],
    "SIGNING_KEYS_DIR": ["keys", "text.txt", "no/such/folder", "/proc/1/mem", "a" * 5000, "\n"],
    "ENVIRONMENT": ["production", "Development", "test"],
    "GRAPHIQL": ["TRUE", "off", "2"],
    "PORT": ["8000", "0", "-1", "65536", "8_000", "tcp://10.0.0.1:8000", "9" * 5000],
    "HOST": ["127.0.0.1", "[::1]", "::", "a" * 64, "a..b", "localhost:8000"],
    "METRICS_HOST": ["::1", "a" * 64],
    "METRICS_PORT": ["9000", "tcp://10.0.0.1:9102", "udp://[::1]:53"],
    "WORKERS": ["1", "2", "256", "257"],
    "HASHING_THREADS": ["1", "256", "0"],
    "ARGON2_MEMORY_KIB": ["8", "7", "99999999999"],
    "ARGON2_PARALLELISM": ["1", "64"],
    "LOGIN_LIMIT_PER_ACCOUNT": ["5/minute", "5 per", "0/hour", "9999999999999999999/second"],
    "RATE_LIMIT_STORAGE_URL": [
        "memory://",
        "redis://:hunter2@127.0.0.1:1/0",
        "REDIS://127.0.0.1:1",
        "redis://127.0.0.1:1/0?hunter2=1",
        "redis://[hunter2",
        "redis+sentinel://:hunter2@127.0.0.1:1,127.0.0.1:2/service/0?sentinel_password=hunter2",
        "rediss+cluster://:hunter2@127.0.0.1:1?ssl_cert_reqs=none",
        "unix:///no/hunter2.sock?db=1",
    ],
    "PUBLIC_URL": ["https://A.example/", "https://bücher.example:443", "ftp://x", "https://[::1"],
    "CORS_ORIGINS": ["*", "capacitor://localhost,https://A.example", "https://xn--a", "null"],
    "CORS_HEADERS": ["baggage", "*", "a b"],
    "TRUSTED_PROXIES": ["10.0.0.0/8, fe80::1%eth0", "::/0", "10.0.0.1/8"],
    "INTROSPECTION_CLIENT_ID": ["a service"],
    "INTROSPECTION_CLIENT_SECRET": [SECRET_KEY, "hunter2"],
    "LOG_LEVEL": ["info", "DEBUG"],
    "RETENTION_DAYS": ["90", "1e2", "99999999999999999999999999"],
}

# What shells, editors and YAML do to a value.
CHANGES = [
    "{}",
    " {}",
    "{}\n",
    "\t{}\r\n",
    '"{}"',
    "'{}'",
    "{}{}",
    "\ufeff{}",
    "{}\udcff",
    "${{{}}}",
]
JUNK = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    variables = {"SECRET_KEY": SECRET_KEY}
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True)):
        text = draw(st.sampled_from(VALUES[name]) | JUNK)
        changed = draw(st.sampled_from(["{}", "{}", *CHANGES])).format(text, text)
        prefix = draw(st.sampled_from(["", "", "GATEHOUSE_", "gatehouse_"]))
        variables[prefix + name] = changed.swapcase() if draw(st.booleans()) else changed
    return variables


@pytest.fixture(scope="module")
def folder(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    databases.copy_of(migrated_sqlite, folder)
    (folder / "text.txt").write_text("neither a database nor a folder\n" * 100)
    return folder


EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@EXAMPLES
@given(command=st.sampled_from(COMMANDS), variables=environments())
def test_any_environment_ends_in_lines_and_a_status(
    folder: Path, command: tuple[str, ...], variables: dict[str, str]
) -> None:
    ended = run(command, folder, **variables)

    assert ended.status in (0, 1)
    assert all(line.startswith("gatehouse: ") for line in ended.stderr.splitlines())
    assert "hunter2" not in ended.stderr


@EXAMPLES
@given(
    variables=environments(),
    junk=st.binary(max_size=40),
    first=st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\0"]),
)
def test_any_file_ends_in_lines_and_a_status(
    folder: Path, variables: dict[str, str], junk: bytes, first: bytes
) -> None:
    lines = [
        f"{name}={value}".encode(errors="surrogateescape") for name, value in variables.items()
    ]
    (folder / ".env").write_bytes(first + b"\n".join([*lines, junk]))
    try:
        ended = run(["prune"], folder, SECRET_KEY=SECRET_KEY)
    finally:
        (folder / ".env").unlink()

    assert ended.status in (0, 1)
    assert all(line.startswith("gatehouse: ") for line in ended.stderr.splitlines())


def make_folder(file: Path) -> None:
    file.mkdir()


def make_link_to_nothing(file: Path) -> None:
    file.symlink_to("nothing")


def make_link_to_itself(file: Path) -> None:
    file.symlink_to(file.name)


def make_unreadable(file: Path) -> None:
    # Reading its first byte fails, whoever reads it.
    file.symlink_to("/proc/self/mem")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_folder, "Is a directory"),
        (make_link_to_nothing, "No such file or directory"),
        (make_link_to_itself, "Too many levels of symbolic links"),
        (make_unreadable, "Input/output error"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_line(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / ".env")

    ended = run(["check"], tmp_path, SECRET_KEY=SECRET_KEY)

    assert (ended.status, ended.stderr) == (1, f"gatehouse: cannot read .env: {why}\n")


def start(
    folder: Path,
    command: str = "serve",
    *,
    user: int | None = None,
    stdout: int = subprocess.DEVNULL,
    **variables: str,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [GATEHOUSE, command],
        cwd=folder,
        env=environment(**{**CHEAP_SETTINGS, "SECRET_KEY": SECRET_KEY, "PORT": "0", **variables}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        user=user,
    )


def end_of(process: subprocess.Popen[bytes]) -> tuple[int, list[str]]:
    _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    return process.returncode, errors.decode().splitlines()


def test_serve_ends_in_a_line_too(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        used = str(other.getsockname()[1])
        runs = {
            "port in use": start(folder, PORT=used),
            "not an address of this machine": start(
                folder, METRICS_PORT="9", METRICS_HOST="1.1.1.1"
            ),
            "not UTF-8": start(folder, LOGIN_LIMIT_PER_NETWORK="5/minute\udcff"),
            "not a database, for a worker": start(
                folder, WORKERS="2", DATABASE_URL="sqlite:///text.txt"
            ),
        }
        ended = {why: end_of(process) for why, process in runs.items()}

    for why, (status, lines) in ended.items():
        assert (status, len(lines)) == (1, 1), (why, lines)
        assert lines[0].startswith("gatehouse: "), why


def test_a_full_disk_and_a_reader_that_leaves_end_in_a_line(folder: Path) -> None:
    with open("/dev/full", "wb") as disk:
        full = start(folder, "secret", stdout=disk.fileno())
    reader, writer = os.pipe()
    os.close(reader)
    left = start(folder, "secret", stdout=writer)
    os.close(writer)

    assert end_of(full) == (1, ["gatehouse: No space left on device"])
    assert end_of(left) == (1, [])


def test_a_file_of_another_user_is_refused_in_a_line() -> None:
    nobody = 65534 if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            if end_of(start(folder, "--version", user=nobody))[0]:
                pytest.skip("another user cannot run this installation")
        except PermissionError:
            pytest.skip("another user cannot run this installation")
        (folder / ".env").touch(mode=0o000)
        ended = end_of(start(folder, "check", user=nobody))

    assert ended == (1, ["gatehouse: cannot read .env: Permission denied"])
