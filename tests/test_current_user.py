"""Concurrent look-ups of the current user are batched, with the results of separate look-ups."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text

from db.engine import CONNECTIONS
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUserLoader
from domain.errors import SessionEnded
from domain.services import Services
from tests.operations import LOGOUT, ME, UPDATE_ME
from tests.sessions import log_in
from tests.statements import statements
from tests.users import IN_A_YEAR, GraphQL, RegisteredUser, register_user


@pytest.fixture
async def many_users(graphql: GraphQL) -> list[RegisteredUser]:
    """Return more users than the pool has connections."""
    return [
        await register_user(graphql, f"user{n}", f"user{n}@example.com", "analytical engine")
        for n in range(CONNECTIONS + 6)
    ]


def caller_of(services: Services, user: RegisteredUser) -> Caller:
    return services.access_tokens.read(user.token).caller


async def test_many_users_are_answered_in_few_statements_and_each_with_their_own(
    graphql: GraphQL, many_users: list[RegisteredUser]
) -> None:
    with statements() as seen:
        answers = await asyncio.gather(*(graphql(ME, by=user) for user in many_users * 2))

    assert [answer.data["me"]["id"] for answer in answers] == [user.id for user in many_users * 2]
    assert [answer.data["me"]["email"] for answer in answers] == [
        user.email for user in many_users * 2
    ]
    assert len(seen) <= len(answers) / 4


async def test_whose_session_has_ended_is_refused_and_nobody_else(
    graphql: GraphQL, many_users: list[RegisteredUser]
) -> None:
    gone, *others = many_users
    elsewhere = await log_in(graphql, gone)
    await graphql(LOGOUT, by=gone)
    users = [*others, gone, elsewhere]
    answers = await asyncio.gather(*(graphql(ME, by=user) for user in users))

    assert answers[-2].code == "UNAUTHENTICATED"
    assert [answer.data["me"] and answer.data["me"]["id"] for answer in answers] == [
        *(user.id for user in others),
        None,
        gone.id,
    ]


async def test_a_token_of_one_in_the_session_of_another_is_nobodys(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    hers, of_grace = caller_of(services, ada), caller_of(services, grace)
    mixed = services.access_tokens.issue(
        replace(hers, session_id=of_grace.session_id), not_after=IN_A_YEAR
    )
    answers = await asyncio.gather(*(graphql(ME, by=by) for by in (ada, mixed.value, grace)))

    assert [answer.data["me"] and answer.data["me"]["id"] for answer in answers] == [
        ada.id,
        None,
        grace.id,
    ]
    assert answers[1].code == "UNAUTHENTICATED"


@asynccontextmanager
async def requesting_all_the_time(
    graphql: GraphQL, users: list[RegisteredUser]
) -> AsyncIterator[None]:
    is_done = False

    async def request(user: RegisteredUser) -> None:
        while not is_done:
            assert (await graphql(ME, by=user)).errors == []

    async with asyncio.TaskGroup() as requests:
        for user in users:
            requests.create_task(request(user))
        yield
        is_done = True


async def test_no_answer_is_older_than_its_question(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    async with requesting_all_the_time(graphql, [ada, grace] * 4):
        for n in range(10):
            here = await log_in(graphql, replace(ada, username=ada.email))
            name = f"Ada.{n}"
            await graphql(UPDATE_ME, by=here, input={"username": name})
            renamed = await graphql(ME, by=here)
            await graphql(LOGOUT, by=here)
            ended = await graphql(ME, by=here)

            assert renamed.data["me"]["username"] == name
            assert ended.code == "UNAUTHENTICATED"


async def next_statement() -> None:
    """Wait until the next statement starts."""
    begun = asyncio.Event()
    event.listen(Engine, "before_cursor_execute", lambda *_: begun.set(), once=True)
    await begun.wait()


async def test_whoever_asks_during_a_read_waits_for_the_next_one(
    ada: RegisteredUser, grace: RegisteredUser, services: Services, current_users: CurrentUserLoader
) -> None:
    early = current_users.load(caller_of(services, ada))
    with statements() as seen:
        await next_statement()
        late = current_users.load(caller_of(services, ada))
        with_late = current_users.load(caller_of(services, grace))
        accounts = await asyncio.gather(early, late, with_late)

    assert [account.username for account in accounts] == ["Ada", "Ada", "Grace"]
    assert len(seen) == 2


async def test_who_leaves_disturbs_nobody(
    ada: RegisteredUser, grace: RegisteredUser, services: Services, current_users: CurrentUserLoader
) -> None:
    hers, of_grace = caller_of(services, ada), caller_of(services, grace)
    left_before, stays = current_users.load(hers), current_users.load(hers)
    left_before.cancel()
    left_meanwhile, also_stays = (current_users.load(of_grace) for _ in range(2))
    await next_statement()
    left_meanwhile.cancel()

    async with asyncio.timeout(5):
        assert (await stays).username == "Ada"
        assert (await also_stays).username == "Grace"
    assert left_before.cancelled()
    assert left_meanwhile.cancelled()
    assert (await current_users.load(hers)).username == "Ada"


async def test_a_failure_reaches_all_who_asked_and_none_who_ask_later(
    graphql: GraphQL, many_users: list[RegisteredUser], services: Services
) -> None:
    async with services.database.writing() as session:
        await session.execute(text("ALTER TABLE sessions RENAME TO hidden"))
    failed = await asyncio.gather(*(graphql(ME, by=user) for user in many_users))
    async with services.database.writing() as session:
        await session.execute(text("ALTER TABLE hidden RENAME TO sessions"))
    answered = await asyncio.gather(*(graphql(ME, by=user) for user in many_users))

    assert {answer.code for answer in failed} == {"INTERNAL_ERROR"}
    assert len({answer.error["extensions"]["requestId"] for answer in failed}) == len(many_users)
    assert [answer.errors for answer in answered if answer.errors] == []


@pytest.mark.parametrize("is_begun", [True, False])
async def test_close_leaves_nobody_waiting(
    ada: RegisteredUser, services: Services, current_users: CurrentUserLoader, is_begun: bool
) -> None:
    under_way = current_users.load(caller_of(services, ada))
    if is_begun:
        await next_statement()
    late = current_users.load(caller_of(services, ada))
    await current_users.close()

    assert under_way.cancelled()
    assert late.cancelled()


async def test_more_than_fit_into_a_statement_are_answered_by_several(
    ada: RegisteredUser, services: Services, current_users: CurrentUserLoader
) -> None:
    hers = caller_of(services, ada)
    strangers = [Caller(uuid4(), uuid4()) for _ in range(1_100)]
    with statements() as seen:
        asked = [current_users.load(one) for one in (*strangers, hers)]
        *refused, account = await asyncio.gather(*asked, return_exceptions=True)

    assert account == await current_users.load(hers)
    assert {type(answer) for answer in refused} == {SessionEnded}
    assert len(seen) == 3
