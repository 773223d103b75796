"""`gatehouse users import`: the users of another system, from a file."""

import asyncio
import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from cli.users import user_file
from cli.users.user_file import FIELDS, MAX_LINE_BYTES
from db.models import SecurityEvent, User
from domain.accounts.user_import import FIREBASE_MISSING, IMPORTED, IN_THE_FUTURE
from domain.errors import EmailTaken, UsernameTaken
from domain.services import Services
from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.operations import LOGIN
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment
from tests.users import GraphQL, RegisteredUser

HEADER = "username,email,email_verified,password_hash,created_at,image_file,locale\n"
BCRYPT = "$2b$04$j3xjcRPzyLyjVTQYYcapZuK1aidfUuTcPS.SOgqw.I4kaCgb.EYYS"
EVE = f"Eve,Eve@Example.com,true,{BCRYPT},2024-05-01T12:00:00Z,eve.png,de-AT\n"

Import = Callable[..., Any]


@pytest.fixture
def import_file(database_url: str, tmp_path: Path) -> Import:
    """Return a function that writes a file and imports it, in a thread."""

    async def import_file(content: str | bytes, *options: str, name: str = "users.csv") -> Run:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return await asyncio.to_thread(
            run,
            ["users", "import", name, *options],
            tmp_path,
            SECRET_KEY=SECRET_KEY,
            DATABASE_URL=database_url,
        )

    return import_file


def reasons(ended: Run) -> list[str]:
    """Return the lines of the report without the name of the program."""
    return [line.removeprefix("gatehouse: ") for line in ended.stderr.splitlines()]


async def users(services: Services) -> list[User]:
    async with services.database.reading() as session:
        return list(await session.scalars(select(User).order_by(User.username)))


async def number_of_users(services: Services) -> int:
    return len(await users(services))


async def test_a_user_comes_with_everything_and_signs_in(
    graphql: GraphQL, services: Services, import_file: Import
) -> None:
    ended = await import_file(HEADER + EVE)
    signed_in = await graphql(LOGIN, username="eve@example.com", password="analytical engine")
    [eve] = await users(services)

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout == (
        "Gatehouse: imported 1 users. 0 have an account already, and 0 were refused.\n"
    )
    assert signed_in.errors == []
    assert (eve.username, eve.email, eve.image_file, eve.locale) == (
        "Eve",
        "eve@example.com",
        "eve.png",
        "de",
    )
    assert eve.created_at == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert eve.email_verified_at is not None


async def test_json_lines_are_read_too(
    graphql: GraphQL, services: Services, import_file: Import
) -> None:
    lines = [
        {"username": "Eve", "email": "eve@example.com", "password_hash": BCRYPT},
        {"username": "Bob", "email": "bob@example.com", "email_verified": True, "locale": None},
    ]
    ended = await import_file("\n".join(map(json.dumps, lines)), "--json", name="users.jsonl")
    signed_in = await graphql(LOGIN, username="Eve", password="analytical engine")

    assert json.loads(ended.stdout) == {"imported": 2, "existing": 0, "refused": 0}
    assert signed_in.errors == []
    assert [user.email_verified_at is not None for user in await users(services)] == [True, False]


async def test_the_import_is_recorded_as_by_the_operator(
    services: Services, import_file: Import
) -> None:
    await import_file(HEADER + EVE)
    async with services.database.reading() as session:
        [event] = await session.scalars(select(SecurityEvent))

    assert (event.kind, event.device, event.actor_id) == ("REGISTERED", "gatehouse", None)
    assert event.detail == IMPORTED


@pytest.mark.parametrize("password_hash", ["", "!rOmcSbeOXTPMzDVA3Tdm0lrxHBUQCDWf3kgE3Z7H"])
async def test_without_a_usable_hash_the_account_has_no_password(
    graphql: GraphQL, services: Services, import_file: Import, password_hash: str
) -> None:
    await import_file(f"username,email,password_hash\nEve,eve@example.com,{password_hash}\n")
    signed_in = await graphql(LOGIN, username="Eve", password="analytical engine")

    assert await number_of_users(services) == 1
    assert signed_in.code == "INVALID_CREDENTIALS"


async def test_what_breaks_a_rule_is_reported_and_keeps_no_other_out(
    services: Services, ada: RegisteredUser, import_file: Import, tmp_path: Path
) -> None:
    lines = [
        EVE,
        "x y,nothing,true,secret hash,2999-01-01,javascript:alert(1),xx\n",
        "Ada,new@example.com,,,,,\n",
        "New,ADA@example.com,,,,,\n",
        "new.name,new@example.com,maybe,,yesterday,,\n",
        "short,line\n",
        "Bob,bob@example.com,,,,,\n",
        "B0b,other@example.com,,,,,\n",
    ]
    ended = await import_file(HEADER + "".join(lines), "--report", "report.jsonl")
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]

    assert ended.status == 1
    assert ended.stdout.startswith("Gatehouse: imported 2 users. 0 have an account already, and 6 ")
    assert [(line["line"], line["field"]) for line in report] == [
        (3, "username"),
        (3, "email"),
        (3, "password_hash"),
        (3, "created_at"),
        (3, "image_file"),
        (4, "username"),
        (5, "email"),
        (6, "email_verified"),
        (6, "created_at"),
        (7, "line"),
        (9, "username"),
    ]
    said = {(line["line"], line["field"]): line["reason"] for line in report}
    assert said[3, "created_at"] == IN_THE_FUTURE
    assert (said[4, "username"], said[5, "email"]) == (UsernameTaken.message, EmailTaken.message)
    assert "secret hash" not in ended.stdout + ended.stderr + str(report)
    assert [user.username for user in await users(services)] == ["Ada", "Bob", "Eve"]


async def test_the_same_file_again_changes_nothing(
    graphql: GraphQL, services: Services, import_file: Import
) -> None:
    await import_file(HEADER + EVE)
    await graphql(LOGIN, username="Eve", password="analytical engine")
    again = await import_file(HEADER + EVE * 2, "--json")
    signed_in = await graphql(LOGIN, username="Eve", password="analytical engine")

    assert again.status == 0
    assert json.loads(again.stdout) == {"imported": 0, "existing": 2, "refused": 0}
    assert signed_in.errors == []


async def test_a_dry_run_changes_nothing(services: Services, import_file: Import) -> None:
    ended = await import_file(HEADER + EVE + "x,x,,,,,\n", "--dry-run")
    async with services.database.reading() as session:
        events = await session.scalar(select(func.count()).select_from(SecurityEvent))

    assert ended.stdout.startswith("Gatehouse: would import 1 users.")
    assert ended.status == 1
    assert (await number_of_users(services), events) == (0, 0)


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"\xff\xfe", user_file.NOT_UTF8),
        (b'"Eve,eve@example.com', user_file.NOT_CSV),
        (b'"Eve"x,eve@example.com', user_file.NOT_CSV),
        (b"Eve", user_file.NOT_CSV),
        (b"Eve,eve@example.com,more", user_file.NOT_CSV),
        (b"Eve," + b"e" * 10_000_000, user_file.TOO_LONG),
        (b"Eve,\0@example.com", "email"),
        (b"E\0ve,eve@example.com", "username"),
        (b",eve@example.com", user_file.MISSING),
    ],
)
async def test_a_broken_line_of_csv_is_reported_with_its_number(
    services: Services, import_file: Import, line: bytes, field: str
) -> None:
    content = b"username,email\r\nBob,bob@example.com\r\n" + line + b"\r\nZoe,zoe@example.com"
    ended = await import_file(content)

    assert ended.status == 1
    [reason] = reasons(ended)
    assert reason.startswith("line 3: ")
    assert field in reason
    assert [user.username for user in await users(services)] == ["Bob", "Zoe"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", user_file.NOT_JSON),
        ("[]", user_file.NOT_JSON),
        ("[" * 50_000, user_file.NOT_JSON),
        ("1" * 50_000, user_file.NOT_JSON),
        ('{"username": "Eve", "mail": "eve@example.com"}', user_file.UNKNOWN_FIELD),
        ('{"username": "Eve", "email": "eve@example.com", "roles": []}', user_file.UNKNOWN_FIELD),
        ('{"username": 1, "email": "eve@example.com"}', user_file.NOT_TEXT),
        ('{"username": null, "email": "eve@example.com"}', user_file.MISSING),
        ('{"username": "Eve", "email": "eve@example.com", "email_verified": 2}', "true or false"),
        ('{"username": "Eve", "email": "eve@example.com", "created_at": 1}', "Use a time"),
        (
            '{"username": "Eve", "email": "e@x.org", "created_at": "0001-01-01T00:00+23:00"}',
            "Use a time",
        ),
        ('{"username": "\\ud800", "email": "eve@example.com"}', "A username"),
        ('{"username": "Eve", "email": "eve@example.com", "password_hash": "\\ud800"}', "Hashes"),
        (
            '{"username": "Eve", "email": "e@example.com", "password_hash": "x", "password_salt": "x"}',
            FIREBASE_MISSING,
        ),
    ],
    ids=lambda text: text[:30],
)
async def test_a_broken_line_of_json_is_reported_with_its_number(
    services: Services, import_file: Import, line: str, reason: str
) -> None:
    ended = await import_file(f"{line}\n", name="users.jsonl")

    assert ended.status == 1
    [said] = reasons(ended)
    assert said.startswith("line 1: ")
    assert reason in said
    assert await number_of_users(services) == 0


@pytest.mark.any_database
async def test_byte_order_marks_blank_lines_and_spaces_are_accepted(
    services: Services, import_file: Import
) -> None:
    content = "\ufeffusername, email\r\n\r\n Eve , eve@example.com \r\n\r\n"

    assert (await import_file(content)).status == 0
    assert await number_of_users(services) == 1


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "must name the columns username and email"),
        ("Eve,eve@example.com", "must name columns of username, email"),
        ("username,mail", "must name columns of username, email"),
        ("username,email,email", "must name columns of username, email"),
        ("username", "must name the columns username and email"),
        ('"username,email', "its first line is not CSV in UTF-8"),
        ("u" * MAX_LINE_BYTES * 2, "must name the columns"),
        ("username,email".encode("utf-16"), "its first line is not CSV in UTF-8"),
    ],
    ids=lambda text: ascii(text[:20]),
)
async def test_a_first_line_that_names_no_columns_is_a_line(
    import_file: Import, header: str | bytes, says: str
) -> None:
    ended = await import_file(header)

    assert (ended.status, ended.stdout) == (1, "")
    [line] = ended.lines
    assert line.startswith("gatehouse: users.csv: ")
    assert says in line


@pytest.mark.any_database
async def test_many_reasons_take_a_file(import_file: Import) -> None:
    ended = await import_file("username,email\n" + "x,x\n" * 100)

    assert len(reasons(ended)) == 21
    assert reasons(ended)[-1] == "for all reasons, name a file with --report"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["users.txt"], 2, "--format"),
        (["users.csv", "--report", "users.csv"], 2, "--report must be another file"),
        (["missing.csv"], 1, "gatehouse: missing.csv: No such file or directory"),
        (["users.csv", "--firebase", "users.csv"], 1, "base64_signer_key"),
    ],
)
async def test_wrong_files_are_a_line(
    database_url: str, tmp_path: Path, options: list[str], status: int, says: str
) -> None:
    (tmp_path / "users.csv").write_text(HEADER + EVE)
    ended = await asyncio.to_thread(
        run,
        ["users", "import", *options],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=database_url,
    )

    assert ended.status == status
    [line] = ended.lines
    assert says in line
    assert (tmp_path / "users.csv").read_text() == HEADER + EVE


async def test_users_of_firebase_come_with_the_parameters_of_their_project(
    graphql: GraphQL, services: Services, import_file: Import, tmp_path: Path
) -> None:
    (tmp_path / "parameters.txt").write_text(
        "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0u"
        "iiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,\n  base64_salt_separator: Bw==,\n"
        "  rounds: 8,\n  mem_cost: 14,\n}\n"
    )
    user = {
        "username": "Eve",
        "email": "eve@example.com",
        "password_hash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198"
        "JAdRuid5lQ==",
        "password_salt": "42xEC+ixf3L2lw==",
    }
    options = ("--firebase", "parameters.txt")
    ended = await import_file(json.dumps(user), *options, name="users.jsonl")
    signed_in = await graphql(LOGIN, username="Eve", password="user1password")

    assert ended.status == 0
    assert signed_in.errors == []


def start(database_url: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [GATEHOUSE, "users", "import", "users.csv"],
        cwd=folder,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY),
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


async def wait_until_there_are(number: int, services: Services) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await number_of_users(services) < number:  # noqa: ASYNC110  (it sends no event)
            await asyncio.sleep(0.01)


async def test_an_import_that_was_interrupted_is_continued(
    services: Services, database_url: str, tmp_path: Path, import_file: Import
) -> None:
    """The file is a pipe, so the import waits in the middle of it."""
    lines = [f"user.{n}x,user.{n}@example.com\n" for n in range(1200)]
    os.mkfifo(tmp_path / "users.csv")
    process = start(database_url, tmp_path, stderr=subprocess.PIPE)
    with (tmp_path / "users.csv").open("w") as pipe:
        pipe.write("username,email\n" + "".join(lines[:700]))
        pipe.flush()
        await wait_until_there_are(500, services)
        process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    interrupted = await number_of_users(services)
    (tmp_path / "users.csv").unlink()
    again = await import_file("username,email\n" + "".join(lines), "--json")

    assert process.returncode == 130
    assert interrupted == 500
    assert stderr.splitlines()[-2:] == [
        "gatehouse: interrupted: imported 500 users. 0 have an account already, and 0 were refused.",
        "gatehouse: run the same command again to continue",
    ]
    assert json.loads(again.stdout) == {"imported": 700, "existing": 500, "refused": 0}
    assert await number_of_users(services) == 1200


@pytest.mark.any_database
def test_a_terminal_shows_the_progress(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(HEADER + EVE)
    terminal, other_end = pty.openpty()
    process = start(database_url, tmp_path, stderr=other_end)
    process.communicate(timeout=TIMEOUT_SECONDS)
    os.close(other_end)
    shown = os.read(terminal, 10_000).decode()
    os.close(terminal)

    assert process.returncode == 0
    assert "Importing" in shown
    assert "100%" in shown


async def test_two_imports_of_one_file_at_once_make_each_user_once(
    services: Services, database_url: str, tmp_path: Path
) -> None:
    lines = [f"user.{n}x,user.{n}@example.com\n" for n in range(1500)]
    (tmp_path / "users.csv").write_text("username,email\n" + "".join(lines))
    processes = [start(database_url, tmp_path, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [process.communicate(timeout=TIMEOUT_SECONDS) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], ended
    assert await number_of_users(services) == 1500


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@given(data=st.binary(max_size=300))
def test_no_content_of_a_file_is_an_exception(format: str, data: bytes) -> None:
    content = b"username,email,email_verified,created_at\n" + data if format == "csv" else data
    found = list(user_file.UserFile(BytesIO(content), format))

    assert len(found) <= content.count(b"\n") + 1


def test_the_help_names_all_fields() -> None:
    shown = " ".join(run(["users", "import", "--help"], Path()).stdout.split())

    assert f"{', '.join(FIELDS[:-1])} and {FIELDS[-1]}" in shown
