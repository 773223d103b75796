"""`gatehouse users`: the operator administers accounts."""

import asyncio
import json
import os
import pty
import stat
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from select import select as wait_for
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlalchemy import select

from api.app import create_app
from db.models import SecurityEvent, User
from domain.services import Services
from tests.commands import Run, run
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import LOGIN, ME, RESET_PASSWORD
from tests.outboxes import row
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment
from tests.users import GraphQL, RegisteredUser

Users = Callable[..., Awaitable[Run]]

PASSWORD = "nanoseconds of wire"
EVE = ("--username", "Eve", "--email", "eve@example.com")


@pytest.fixture
def users(database_url: str, tmp_path: Path) -> Users:
    """Return a function that runs a command of `gatehouse users`, in a thread."""

    async def users(*arguments: str, stdin: str = "", **settings: str) -> Run:
        with patch("sys.stdin", StringIO(stdin)):
            return await asyncio.to_thread(
                run,
                ["users", *arguments],
                tmp_path,
                SECRET_KEY=SECRET_KEY,
                DATABASE_URL=database_url,
                **{"DATA_KEY": DATA_KEY, **settings},
            )

    return users


async def of(users: Users, *arguments: str) -> dict[str, object]:
    """Run a command and return its JSON."""
    ended = await users(*arguments, "--json")
    assert (ended.status, ended.stderr) == (0, "")
    found: dict[str, object] = json.loads(ended.stdout)
    return found


async def events(services: Services, user_id: str) -> list[SecurityEvent]:
    """Return what the operator did to an account, the oldest first."""
    async with services.database.reading() as session:
        found = await session.scalars(
            select(SecurityEvent)
            .where(SecurityEvent.user_id == UUID(user_id), SecurityEvent.device == "gatehouse")
            .order_by(SecurityEvent.id)
        )
        return list(found)


@asynccontextmanager
async def server_with_data_key(database_url: str) -> AsyncIterator[GraphQL]:
    """Yield a server that has a data key, and sends no mail."""
    settings = settings_for(database_url, data_key=DATA_KEY, environment="production")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield GraphQL(client)


async def log_in(graphql: GraphQL, username: str, password: str) -> str | None:
    """Return the code of the error, if there is one."""
    answer = await graphql(LOGIN, username=username, password=password)
    return answer.code if answer.errors else None


async def test_the_first_administrator_is_created_and_signs_in(
    graphql: GraphQL, services: Services, users: Users
) -> None:
    created = await users(
        "create", *EVE, "--verified", "--admin", "--password-file", "-", stdin=f"{PASSWORD}\n"
    )
    signed_in = await graphql(LOGIN, username="Eve", password=PASSWORD)
    token = signed_in.data["login"]["accessToken"]

    assert created.lines == ["Gatehouse: created Eve (eve@example.com) with ADMIN."]
    assert (await graphql("{ me { emailVerified roles } }", by=token)).data == {
        "me": {"emailVerified": True, "roles": ["ADMIN"]}
    }
    [registered, granted] = await events(services, signed_in.data["login"]["user"]["id"])
    assert (registered.kind, granted.kind, granted.detail) == (
        "REGISTERED",
        "ROLE_GRANTED",
        "ADMIN",
    )
    assert registered.actor_id is granted.actor_id is None


async def test_a_database_without_tables_is_migrated_or_reported(
    empty_database_url: str, tmp_path: Path
) -> None:
    ended = await asyncio.to_thread(
        run,
        ["users", "create", *EVE, "--reset-link"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATA_KEY=DATA_KEY,
        DATABASE_URL=empty_database_url,
    )

    if empty_database_url.startswith("sqlite"):
        assert ended.status == 0
    else:
        assert ended.status == 1
        assert "run `gatehouse migrate`" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "password", "says"),
    [
        (EVE, "password1", "this password is too common. Choose another one"),
        (EVE, "short", "a password must have 8 to 128 characters"),
        (EVE, "", "a password must have 8 to 128 characters"),
        (("--username", "x", "--email", "eve"), PASSWORD, "a username must have 3 to 32"),
        (("--username", "ada", "--email", "eve@example.com"), PASSWORD, "this username, or one"),
        (("--username", "Eve", "--email", "Ada@Example.com"), PASSWORD, "an account with this"),
    ],
)
async def test_an_account_that_cannot_be_created_is_a_line(
    ada: RegisteredUser, users: Users, arguments: tuple[str, ...], password: str, says: str
) -> None:
    ended = await users("create", *arguments, "--password-file", "-", stdin=f"{password}\n")

    assert (ended.status, ended.stdout) == (1, "")
    [line] = ended.lines
    assert line.startswith(f"gatehouse: {says}")


@pytest.mark.any_database
async def test_without_a_terminal_it_does_not_ask_for_the_password(users: Users) -> None:
    ended = await users("create", *EVE, stdin=f"{PASSWORD}\n")

    assert ended.status == 2
    assert "Use --password-file or --reset-link without a terminal" in ended.stderr


def read_from(terminal: int) -> str:
    assert wait_for([terminal], [], [], TIMEOUT_SECONDS)[0]
    return os.read(terminal, 1000).decode()


@pytest.mark.any_database
def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(
    database_url: str, tmp_path: Path
) -> None:
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [GATEHOUSE, "users", "create", *EVE],
        cwd=tmp_path,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY),
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    shown = ""
    for prompt in ("Password: ", "Repeat for confirmation: "):
        while prompt not in shown:
            shown += read_from(terminal)
        os.write(terminal, f"{PASSWORD}\n".encode())
    while "Gatehouse: " not in shown:
        shown += read_from(terminal)

    assert process.wait(TIMEOUT_SECONDS) == 0
    os.close(terminal)
    assert "created Eve" in shown
    assert PASSWORD not in shown


async def test_a_reset_link_sets_the_password_without_proving_the_email(
    database_url: str, graphql: GraphQL, services: Services, users: Users
) -> None:
    created = await users("create", *EVE, "--reset-link")
    [said, link] = created.lines
    token = link.partition("/account/reset-password#token=")[2]

    assert said == "Gatehouse: created Eve (eve@example.com)."
    async with server_with_data_key(database_url) as at_server:
        reset = await at_server(RESET_PASSWORD, token=token, new=PASSWORD)
        again = await at_server(RESET_PASSWORD, token=token, new=PASSWORD)
    assert reset.errors == []
    assert again.code == "INVALID_CODE"
    assert await log_in(graphql, "Eve", PASSWORD) is None
    async with services.database.reading() as session:
        assert await session.scalar(select(User.email_verified_at)) is None


async def test_a_reset_link_needs_a_data_key(ada: RegisteredUser, users: Users) -> None:
    for arguments in (("reset-link", "Ada"), ("create", *EVE, "--reset-link")):
        ended = await users(*arguments, DATA_KEY="")
        assert ended.status == 1
        assert ended.lines == ["gatehouse: this server has no DATA_KEY, which this needs"]

    assert (await users("show", "Eve")).status == 1


async def test_an_account_is_disabled_and_enabled(
    graphql: GraphQL, services: Services, ada: RegisteredUser, users: Users
) -> None:
    disabled = await of(users, "disable", "Ada", "--reason", "Sends unwanted mail")
    refused = await log_in(graphql, "Ada", ada.password)
    enabled = await users("enable", "ada@example.com", "--reason", "Promised to stop")

    assert disabled["disabled_reason"] == "Sends unwanted mail"
    assert refused == "ACCOUNT_DISABLED"
    assert enabled.lines == ["Gatehouse: enabled Ada (ada@example.com)."]
    assert await log_in(graphql, "Ada", ada.password) is None
    found = await events(services, ada.id)
    assert [(event.kind, event.actor_id, event.detail) for event in found] == [
        ("DISABLED", None, "Sends unwanted mail"),
        ("ENABLED", None, "Promised to stop"),
    ]


async def test_roles_are_granted_and_revoked(
    graphql: GraphQL, services: Services, ada: RegisteredUser, users: Users
) -> None:
    granted = await of(users, "grant", "Ada", "support", "--reason", "Joins the team")
    seen = (await graphql("{ me { roles } }", by=ada)).data
    revoked = await users("revoke", "Ada", "SUPPORT")

    assert granted["roles"] == ["SUPPORT"]
    assert seen == {"me": {"roles": ["SUPPORT"]}}
    assert revoked.lines == ["Gatehouse: Ada (ada@example.com) does not have the role SUPPORT."]
    assert [event.detail for event in await events(services, ada.id)] == [
        "SUPPORT: Joins the team",
        "SUPPORT: Revoked with gatehouse users",
    ]


async def test_the_last_administrator_stays(ada: RegisteredUser, users: Users) -> None:
    await users("grant", "Ada", "ADMIN")
    for arguments in (
        ("revoke", "Ada", "ADMIN"),
        ("disable", "Ada", "--reason", "x"),
        ("delete", "Ada", "--yes"),
    ):
        ended = await users(*arguments)
        assert ended.status == 1
        assert ended.stderr.startswith("gatehouse: this is the last administrator")

    assert (await of(users, "show", "Ada"))["roles"] == ["ADMIN"]


async def test_someone_is_invited_until_that_is_revoked(services: Services, users: Users) -> None:
    invited = await of(users, "invite", "eve@example.com")
    mail = await row(services.database)
    revoked = await of(users, "invite", "--revoke", "eve@example.com")
    again = await users("invite", "--revoke", "eve@example.com")

    assert invited["email"] == "eve@example.com"
    assert (mail.payload["to"], mail.payload["template"]) == ("eve@example.com", "invitation")
    assert revoked["was_invited"] is True
    assert again.lines == ["Gatehouse: eve@example.com was not invited."]


async def test_sessions_are_ended(
    graphql: GraphQL, services: Services, ada: RegisteredUser, users: Users
) -> None:
    ended = await of(users, "end-sessions", ada.id, "--reason", "Lost a phone")

    assert ended["ended_sessions"] == 1
    assert [event.detail for event in await events(services, ada.id)] == ["Lost a phone"]
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"


async def test_accounts_are_found_by_text_role_and_state(
    ada: RegisteredUser, grace: RegisteredUser, users: Users
) -> None:
    await users("grant", "Grace", "SUPPORT")
    await users("disable", "Ada", "--reason", "x")

    for arguments, found in (
        (("ada",), ["Ada"]),
        (("grace@",), ["Grace"]),
        ((ada.id,), ["Ada"]),
        (("--role", "SUPPORT"), ["Grace"]),
        (("--disabled",), ["Ada"]),
        (("--enabled",), ["Grace"]),
        ((), ["Grace", "Ada"]),
        (("nothing",), []),
    ):
        accounts = (await of(users, "find", *arguments))["accounts"]
        assert [account["username"] for account in accounts] == found  # type: ignore[attr-defined]
    assert "SUPPORT" in (await users("find", "grace")).stdout


async def test_a_long_list_has_pages(
    ada: RegisteredUser, grace: RegisteredUser, users: Users
) -> None:
    first = await of(users, "find", "--first", "1")
    second = await of(users, "find", "--first", "1", "--after", str(first["next"]))
    listed = await users("find", "--first", "1")

    names = [page["accounts"][0]["username"] for page in (first, second)]  # type: ignore[index]
    assert names == ["Grace", "Ada"]
    assert second["next"] is None
    assert listed.stdout.endswith(f"\nMore: --after {first['next']}\n")


async def test_an_account_is_shown_without_secrets(
    services: Services, ada: RegisteredUser, users: Users
) -> None:
    shown = await of(users, "show", "Ada")
    text = (await users("show", "ada@example.com")).stdout
    async with services.database.reading() as session:
        stored = str(await session.scalar(select(User.password_hash)))

    assert (shown["id"], shown["has_password"], shown["roles"]) == (ada.id, True, [])
    assert len(shown["sessions"]) == len(shown["security_events"]) == 1  # type: ignore[arg-type]
    assert "email                  ada@example.com\n" in text
    assert stored not in text + str(shown)


async def test_all_data_is_exported_into_a_file_of_its_own(
    services: Services, ada: RegisteredUser, users: Users, tmp_path: Path
) -> None:
    printed = await users("export", "Ada")
    written = await users("export", "Ada", "--out", "ada.json", "--reason", "Asked for by mail")
    again = await users("export", "Ada", "--out", "ada.json")
    file = tmp_path / "ada.json"

    assert json.loads(printed.stdout)["user"]["email"] == "ada@example.com"
    assert written.lines == ["Gatehouse: wrote ada.json."]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["user"]["id"] == ada.id
    assert again.lines == ["gatehouse: ada.json exists already"]
    assert [(event.kind, event.detail) for event in await events(services, ada.id)] == [
        ("EXPORTED", "Exported with gatehouse users"),
        ("EXPORTED", "Asked for by mail"),
    ]


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 130)])
async def test_a_deletion_is_confirmed(
    graphql: GraphQL, ada: RegisteredUser, users: Users, answer: str, status: int
) -> None:
    ended = await users("delete", "Ada", stdin=answer)

    assert ended.status == status
    assert ended.stderr.startswith("Delete the account Ada (ada@example.com)? [y/N]: ")
    found = await log_in(graphql, "Ada", ada.password)
    assert found == ("INVALID_CREDENTIALS" if status == 0 else None)


async def test_an_erased_account_leaves_no_personal_data(
    services: Services, ada: RegisteredUser, users: Users
) -> None:
    deleted = await of(users, "delete", "Ada", "--yes", "--erase", "--reason", "Asked by mail")
    async with services.database.reading() as session:
        found = (await session.scalars(select(SecurityEvent))).all()

    assert deleted == {"id": ada.id}
    assert {event.detail for event in found} == {None}
    assert {event.ip for event in found} == {None}


COMMANDS = [
    ("show",),
    ("disable", "--reason", "x"),
    ("enable",),
    ("grant", "ADMIN"),
    ("revoke", "ADMIN"),
    ("end-sessions",),
    ("reset-link",),
    ("remove-factors", "--yes"),
    ("export",),
    ("delete", "--yes"),
]


@pytest.mark.any_database
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_every_command_reports_an_address_that_no_account_has_in_a_line(
    ada: RegisteredUser, users: Users, command: tuple[str, ...]
) -> None:
    name, *rest = command
    for address in ("nothing", "x@example.com", "01a2192c-308d-7ab0-a35c-cbb60ed98e66", "\udcff"):
        ended = await users(name, address, *rest)
        assert (ended.status, ended.lines) == (
            1,
            ["gatehouse: no account has this email, username or id"],
        )


@pytest.mark.any_database
@pytest.mark.parametrize("reason", ["", "x" * 181, "two\nlines"])
async def test_a_reason_is_one_line(ada: RegisteredUser, users: Users, reason: str) -> None:
    ended = await users("disable", "Ada", "--reason", reason)

    assert ended.lines == [
        "gatehouse: a reason must have 1 to 180 characters on one line and must not be blank"
    ]
