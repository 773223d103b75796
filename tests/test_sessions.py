"""The sessions of a user. A session ends at once, with all of its tokens."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from domain.sessions import MAX_SESSIONS
from tests.conftest import client_of
from tests.operations import (
    CHANGE_PASSWORD,
    CREATE_POST,
    END_SESSION,
    LOGIN,
    LOGOUT,
    LOGOUT_EVERYWHERE,
    ME,
    REFRESH,
)
from tests.posts import NOTES
from tests.sessions import FIREFOX, change_password, is_signed_in, log_in, refresh, sessions
from tests.statements import statements
from tests.users import GraphQL, RegisteredUser, register_user


async def test_each_login_is_a_session_and_the_current_one_is_marked(
    graphql: GraphQL, client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    form = {"grant_type": "password", "username": "Ada", "password": ada.password}
    await client.post("/token", data=form, headers={"User-Agent": FIREFOX})

    by_tool, by_phone, by_registering = await sessions(graphql, phone)
    assert [one["method"] for one in (by_tool, by_phone, by_registering)] == [
        "PASSWORD_GRANT",
        "LOGIN",
        "REGISTRATION",
    ]
    assert [one["isCurrent"] for one in (by_tool, by_phone, by_registering)] == [False, True, False]
    assert by_tool["device"] == "Firefox on Linux"
    assert by_phone["device"] == f"python-httpx/{httpx.__version__}"
    assert by_tool["ip"] == by_phone["ip"] == "127.0.0.1"
    assert by_phone["createdAt"] == by_phone["lastUsedAt"] < by_phone["expiresAt"]


async def test_the_session_that_a_token_was_just_issued_for_is_the_current_one(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(
        "mutation ($p: String!) { login(username: "
        '"Ada", password: $p) { user { sessions { isCurrent method } } } }',
        p=ada.password,
    )

    assert answer.data["login"]["user"]["sessions"] == [
        {"isCurrent": True, "method": "LOGIN"},
        {"isCurrent": False, "method": "REGISTRATION"},
    ]


async def test_a_refresh_moves_a_session_to_the_front(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    await refresh(graphql, ada.refresh_token)

    first, second = await sessions(graphql, phone)
    assert (first["isCurrent"], second["isCurrent"]) == (False, True)
    assert first["createdAt"] < second["createdAt"] < first["lastUsedAt"]


async def test_nobody_sees_the_sessions_of_another(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    assert len(await sessions(graphql, ada)) == len(await sessions(graphql, grace)) == 1
    assert (await sessions(graphql, ada))[0]["id"] != (await sessions(graphql, grace))[0]["id"]


async def test_logging_out_ends_this_session_at_once_and_no_other(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    [current, _] = await sessions(graphql, phone)
    answer = await graphql(LOGOUT, by=phone)

    assert answer.data == {"logout": current["id"]}
    assert not await is_signed_in(graphql, phone)
    assert await is_signed_in(graphql, ada)


async def test_what_follows_a_logout_in_one_document_is_refused(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(
        'mutation { logout createPost(input: {title: "a", content: "b"}) { id } }', by=ada
    )

    assert answer.code == "UNAUTHENTICATED"
    assert answer.error["path"] == ["createPost"]


async def test_an_ended_session_does_nothing_any_more(
    graphql: GraphQL, client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    await graphql(LOGOUT, by=ada)

    answers = [
        await graphql(CREATE_POST, by=ada, input=NOTES),
        await graphql('mutation { updateMe(input: {imageFile: "a.png"}) { id } }', by=ada),
        await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new="difference engine"),
        await graphql('mutation { deleteMe(password: "analytical engine") }', by=ada),
        await graphql(LOGOUT, by=ada),
        await graphql(LOGOUT_EVERYWHERE, by=ada),
        await graphql(END_SESSION, by=ada, id=str(uuid4())),
    ]
    userinfo = await client.get("/userinfo", headers={"Authorization": f"Bearer {ada.token}"})
    assert [answer.code for answer in answers] == ["UNAUTHENTICATED"] * 7
    assert userinfo.status_code == 401


@pytest.mark.parametrize(("but", "ended"), [(None, 3), (False, 3), (True, 2)])
async def test_logging_out_everywhere(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, but: bool | None, ended: int
) -> None:
    phone, laptop = await log_in(graphql, ada), await log_in(graphql, ada)
    answer = await graphql(LOGOUT_EVERYWHERE, by=phone, but=but)

    assert answer.data == {"logoutEverywhere": ended}
    assert await is_signed_in(graphql, phone) == bool(but)
    assert not await is_signed_in(graphql, ada)
    assert not await is_signed_in(graphql, laptop)
    assert await is_signed_in(graphql, grace)


async def test_another_session_is_ended_by_its_id(graphql: GraphQL, ada: RegisteredUser) -> None:
    phone = await log_in(graphql, ada)
    [_, other] = await sessions(graphql, phone)
    answer = await graphql(END_SESSION, by=phone, id=other["id"])

    assert answer.data == {"endSession": other["id"]}
    assert not await is_signed_in(graphql, ada)
    assert [one["isCurrent"] for one in await sessions(graphql, phone)] == [True]


async def test_what_is_no_active_session_of_ones_own_cannot_be_ended(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    [_, ended] = await sessions(graphql, phone)
    await graphql(END_SESSION, by=phone, id=ended["id"])
    [hers] = await sessions(graphql, grace)

    for id in (ended["id"], hers["id"], str(uuid4()), "nonsense"):
        assert (await graphql(END_SESSION, by=phone, id=id)).code == "NOT_FOUND"
    assert await is_signed_in(graphql, grace)


async def test_a_password_change_ends_every_session_but_its_own_new_one(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    changed = await change_password(graphql, phone, "difference engine")

    assert not await is_signed_in(graphql, ada)
    assert not await is_signed_in(graphql, phone)
    [session] = await sessions(graphql, changed)
    assert (session["method"], session["isCurrent"]) == ("PASSWORD_CHANGE", True)
    assert await is_signed_in(graphql, changed)


async def test_a_refused_password_change_ends_nothing(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    await graphql(CHANGE_PASSWORD, by=phone, current="wrong engine", new="difference engine")

    assert await is_signed_in(graphql, ada)
    assert await is_signed_in(graphql, phone)


async def test_whoever_starts_too_many_sessions_loses_the_one_not_used_for_longest(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    oldest = await log_in(graphql, ada)
    await refresh(graphql, ada.refresh_token)
    for _ in range(MAX_SESSIONS - 1):
        newest = await log_in(graphql, ada)

    assert len(await sessions(graphql, newest)) == MAX_SESSIONS
    assert (await graphql(ME, by=oldest)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).errors == []


async def test_whether_the_session_is_active_is_read_at_no_extra_statement(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    with statements() as me:
        await graphql(ME, by=ada)
    with statements() as post:
        await graphql(CREATE_POST, by=ada, input=NOTES)

    assert len([one for one in me if one.sql.startswith("SELECT")]) == 1
    # Before the writer is taken, with the lock, and the posts that count towards the quota.
    assert len([one for one in post if one.sql.startswith("SELECT")]) == 4


# Concurrent requests.


async def test_a_refresh_and_a_logout_at_once_leave_nobody_signed_in(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    for _ in range(10):
        phone = await log_in(graphql, ada)
        refreshed, ended = await asyncio.gather(
            graphql(REFRESH, token=phone.refresh_token), graphql(LOGOUT, by=phone)
        )

        assert ended.errors == []
        assert not await is_signed_in(graphql, phone)
        if not refreshed.errors:
            token = refreshed.data["refresh"]
            assert (await graphql(ME, by=token["accessToken"])).code == "UNAUTHENTICATED"
            assert (await graphql(REFRESH, token=token["refreshToken"])).errors


async def test_a_password_change_and_refreshes_at_once_leave_no_other_session(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    here = ada
    for n in range(6):
        others = [await log_in(graphql, here) for _ in range(4)]
        changing = asyncio.create_task(change_password(graphql, here, f"difference engine {n}"))
        refreshed = await asyncio.gather(
            *(graphql(REFRESH, token=other.refresh_token) for other in others)
        )
        here = await changing

        assert [one["isCurrent"] for one in await sessions(graphql, here)] == [True]
        for answer in refreshed:
            if not answer.errors:
                token = answer.data["refresh"]
                assert (await graphql(ME, by=token["accessToken"])).code == "UNAUTHENTICATED"
                assert (await graphql(REFRESH, token=token["refreshToken"])).errors


async def test_logins_with_the_old_password_do_not_survive_its_change(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    here = ada
    for n in range(6):
        changing = asyncio.create_task(change_password(graphql, here, f"difference engine {n}"))
        logins = await asyncio.gather(
            *(graphql(LOGIN, username="Ada", password=here.password) for _ in range(4))
        )
        here = await changing

        for login in logins:
            if not login.errors:
                token = login.data["login"]
                assert (await graphql(ME, by=token["accessToken"])).code == "UNAUTHENTICATED"


async def test_many_who_start_and_end_the_same_sessions_at_once_wait_for_one_another(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answers = await asyncio.gather(
        *(graphql(LOGIN, username="Ada", password=ada.password) for _ in range(5)),
        *(graphql(LOGOUT_EVERYWHERE, by=ada, but=True) for _ in range(5)),
        *(graphql(CREATE_POST, by=ada, input=NOTES) for _ in range(5)),
    )

    assert [answer.errors for answer in answers if answer.errors] == []


async def test_a_client_without_an_address_has_sessions_too(app: FastAPI) -> None:
    """Clients of a Unix socket have no address."""
    async with client_of(app, ip="") as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")

        assert [one["ip"] for one in await sessions(graphql, ada)] == [None]
