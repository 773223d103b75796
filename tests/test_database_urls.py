"""DATABASE_URL as providers, libpq and shells write it."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url, text

from db.engine import create_engine
from db.urls import with_async_driver
from tests.commands import run
from tests.paths import ROOT
from tests.servers import environment, free_port


def connection_of(url: str) -> dict[str, object]:
    """Return the parameters that the driver connects with."""
    parsed = with_async_driver(url)
    _, parameters = parsed.get_dialect()().create_connect_args(parsed)
    assert with_async_driver(parsed) == parsed
    return dict(parameters)


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        (
            "postgresql://u:pw@h1:5432,h2:5433/db?target_session_attrs=read-write",
            {
                "user": "u",
                "password": "pw",
                "dbname": "db",
                "host": "h1,h2",
                "port": "5432,5433",
                "target_session_attrs": "read-write",
            },
        ),
        ("postgresql://h1,h2/db", {"host": "h1,h2", "port": ",", "dbname": "db"}),
        ("postgresql://h1:1,[::1]/db", {"host": "h1,::1", "port": "1,", "dbname": "db"}),
        ("postgresql:///db?host=h1,h2&port=7", {"host": "h1,h2", "port": "7,7", "dbname": "db"}),
        ("POSTGRES://h/db", {"host": "h", "dbname": "db"}),
        ("postgresql+asyncpg://h:6432/db", {"host": "h", "port": 6432, "dbname": "db"}),
        ("postgresql://%2Fvar%2Frun%2Fpg/db", {"host": "/var/run/pg", "dbname": "db"}),
        ("postgresql:///db?host=/tmp&user=u", {"host": "/tmp", "user": "u", "dbname": "db"}),
        (
            "postgres://u@h/db?ssl=true",
            {"host": "h", "user": "u", "dbname": "db", "sslmode": "require"},
        ),
        (
            "postgresql://us%40er:p%40/w?#:100%@h/d%20b",
            {"host": "h", "user": "us@er", "password": "p@/w?#:100%", "dbname": "d b"},
        ),
        (
            "postgresql://h1,h2/db?hostaddr=192.0.2.1,192.0.2.2&sslmode=verify-full&gssencmode=disable"
            "&target_session_attrs=prefer-standby&connect_timeout=3&keepalives=0",
            {
                "host": "h1,h2",
                "hostaddr": "192.0.2.1,192.0.2.2",
                "port": ",",
                "dbname": "db",
                "sslmode": "verify-full",
                "gssencmode": "disable",
                "target_session_attrs": "prefer-standby",
                "connect_timeout": "3",
                "keepalives": "0",
            },
        ),
        ("postgresql:///db?application_name=a@b", {"dbname": "db", "application_name": "a@b"}),
    ],
)
def test_the_urls_of_libpq_are_read_as_libpq_reads_them(
    url: str, parameters: dict[str, object]
) -> None:
    assert connection_of(url) == parameters


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/db?prepare_threshold=0",
        "postgresql://u:hunter2@h/db?autocommit=1",
        "postgresql://u:hunter2@h/db?row_factory=hunter2",
        "postgresql://u:hunter2@h/db?hunter2=1",
        "postgresql://u:hunter2@h/db?sslmode",
        "postgresql://u:hunter2@h/db?sslmode=hunter2",
        "postgresql://u:hunter2@h/db?sslmode=Require",
        "postgresql://u:hunter2@h1,h2/db?target_session_attrs=hunter2",
        "postgresql://u:hunter2@h/db?gssencmode=hunter2",
        "postgresql://u:hunter2@h/db?channel_binding=hunter2",
        "postgresql://u:hunter2@h/db?load_balance_hosts=hunter2",
        "postgresql://u:hunter2@h/db?ssl_min_protocol_version=hunter2",
        "postgresql://u:hunter2@h/db?service=hunter2",
        "postgresql://u:hunter2@h/db?connect_timeout=hunter2",
        "postgresql://u:hunter2@h/db?keepalives_idle=1_0",
        "postgresql://u:hunter2@h/db?tcp_user_timeout=5s",
        "postgresql://u:hunter2@h:5432/db?port=hunter2",
        "postgresql:///hunter2?host=h&port=5_432",
        "postgresql://u:hunter2@h:65536/db",
        "postgresql://u:hunter2@h1:1,h2:x/db",
        "postgresql:///db?host=h1,h2&port=1,2,3",
        "postgresql://u:hunter2@h1," + "h" * 64 + "/db",
        "postgresql://u:hunter2@[::1/db",
        "postgresql://u:hunter2@h/d b",
        "mysql://u:hunter2@h/db",
        "postgresql:/hunter2",
        '"postgresql://u:hunter2@h/db"',
        "SQLite:///file:hunter2.db?mode=memory",
        "sqlite:///hunter2.db?prepare_threshold=0",
        "host=h dbname=hunter2",
    ],
)
def test_what_libpq_does_not_know_is_refused_in_a_line(url: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL [^\n]+\.$") as refused:
        create_engine(url)

    assert "hunter2" not in str(refused.value)


def test_an_unknown_parameter_ends_a_command_in_a_line(tmp_path: Path) -> None:
    url = "postgresql://postgres:hunter2@127.0.0.1/gatehouse?prepare_threshold=0"
    failed = run(["migrate"], tmp_path, DATABASE_URL=url, SECRET_KEY="x" * 32)

    assert failed.status == 1
    assert failed.stderr.splitlines() == [
        "gatehouse: DATABASE_URL is not a valid PostgreSQL URL, or has a parameter or a value that"
        " libpq does not know. See .env.example."
    ]


def forms_of(url: str) -> dict[str, str]:
    """Return the same PostgreSQL as the forms in which providers give it."""
    parts = make_url(url)
    address = f"{parts.host}:{parts.port or 5432}"
    with psycopg.connect(url) as connection:
        [directories] = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    socket = quote(str(directories).partition(",")[0], safe="")
    full = parts.render_as_string(hide_password=False)
    return {
        "upper case": full.replace("postgresql://", "POSTGRES://"),
        "several hosts": full.replace(address, f"127.0.0.1:{free_port()},{address}")
        + "?target_session_attrs=read-write",
        "a folder of sockets": full.replace(address, f"{socket}:{parts.port or 5432}"),
    }


@pytest.mark.parametrize("form", ["upper case", "several hosts", "a folder of sockets"])
async def test_a_server_is_reached_by_each_form(database_url: str, form: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    engine = create_engine(forms_of(database_url)[form])
    async with engine.connect() as connection:
        name = await connection.scalar(text("SELECT current_database()"))
    await engine.dispose()

    assert name == make_url(database_url).database


# Of no user, on any machine.
NO_NAME = 12_345_678


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs another user id")
def test_a_user_whom_the_system_does_not_know_can_use_a_url_that_names_one() -> None:
    """As in a container that runs with any user id."""
    program = (
        "import os; from db.urls import with_async_driver; import psycopg.conninfo, encodings.idna;"
        f"os.setuid({NO_NAME}); print(with_async_driver('postgresql://u@h/db'))\n"
        "try: with_async_driver('postgresql://h/db')\nexcept ValueError as error: print(error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True
    )

    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        "postgresql+psycopg://u@h/db",
        "DATABASE_URL must name a user: the system knows no name of this one.",
    ]
