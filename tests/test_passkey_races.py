"""Passkeys and what happens at the same time: other sign-ins, removals, deletions."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, Passkey, Ticket, User
from domain.authentication import factors
from domain.authentication.lock import lock_user
from domain.services import Services
from settings import Settings
from tests.authenticator import Authenticator
from tests.conftest import settings_for
from tests.operations import (
    DELETE_ME,
    REMOVE_PASSKEY,
    SIGN_IN_BY_PASSKEY,
)
from tests.passkeys import PASSKEY_SETTINGS, add, answered, finish, sign_in, start
from tests.servers import TIMEOUT_SECONDS
from tests.sessions import sessions
from tests.users import Answer, GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, **PASSKEY_SETTINGS)


async def number(services: Services, model: type[Passkey | LoginSession | Ticket]) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def while_it_waits(
    services: Services,
    request: Awaitable[Answer],
    user: RegisteredUser,
    change: Callable[[AsyncSession, UUID], Awaitable[object]],
) -> Answer:
    """Make a change of a user in a transaction that a request waits for, which has read what was
    before."""
    queue = services.database.queues["write"]
    async with services.database.writing() as session:
        await lock_user(session, UUID(user.id))
        task = asyncio.ensure_future(request)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            # SQLite has one writer, and PostgreSQL lets the request wait for the row.
            while queue.waiting + queue.in_use < 2:
                await number(services, Passkey)
        await change(session, UUID(user.id))
    return await task


async def remove_passkeys(session: AsyncSession, user_id: UUID) -> None:
    assert await factors.remove_all(session, user_id) == 1


async def delete_user(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(User).where(User.id == user_id))


async def mark_as_deleted(session: AsyncSession, user_id: UUID) -> None:
    user = await session.get_one(User, user_id)
    user.deleted_at = datetime.now(UTC)


@pytest.mark.parametrize("change", [remove_passkeys, delete_user, mark_as_deleted])
async def test_what_is_removed_while_a_sign_in_is_under_way_starts_no_session(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    change: Callable[[AsyncSession, UUID], Awaitable[object]],
) -> None:
    phone, _ = await add(graphql, ada)
    request = graphql(SIGN_IN_BY_PASSKEY, answer=await answered(graphql, phone))
    before = await number(services, LoginSession)
    answer = await while_it_waits(services, request, ada, change)

    assert answer.code == "INVALID_CODE"
    assert await number(services, LoginSession) <= before


async def test_a_sign_in_and_a_removal_at_once_end_in_one_order_or_the_other(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    for _ in range(5):
        phone, passkey = await add(graphql, ada)
        answer = await answered(graphql, phone)
        signed_in, removed = await asyncio.gather(
            graphql(SIGN_IN_BY_PASSKEY, answer=answer),
            graphql(REMOVE_PASSKEY, by=ada, id=passkey["id"]),
        )

        assert removed.errors == []
        assert not signed_in.errors or signed_in.code == "INVALID_CODE"
        assert (await sign_in(graphql, phone)).code == "INVALID_CODE"
    assert await number(services, Passkey) == 0


async def test_a_sign_in_and_a_deletion_at_once_leave_nothing(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    phone, _ = await add(graphql, ada)
    answer = await answered(graphql, phone)
    signed_in, deleted = await asyncio.gather(
        graphql(SIGN_IN_BY_PASSKEY, answer=answer),
        graphql(DELETE_ME, by=ada, password=ada.password),
    )

    assert deleted.errors == []
    assert not signed_in.errors or signed_in.code == "INVALID_CODE"
    assert await number(services, Passkey) == await number(services, LoginSession) == 0


async def test_of_ten_clients_with_one_answer_one_signs_in(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone, _ = await add(graphql, ada)
    answer = await answered(graphql, phone)
    answers = await asyncio.gather(*(graphql(SIGN_IN_BY_PASSKEY, answer=answer) for _ in range(10)))

    assert sum(not one.errors for one in answers) == 1
    assert {one.code for one in answers if one.errors} == {"INVALID_CODE"}
    assert len(await sessions(graphql, ada)) == 2


async def test_of_ten_clients_with_one_new_passkey_one_adds_it(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    ticket, options = await start(graphql, ada)
    credential = Authenticator().create(options)
    answers = await asyncio.gather(*(finish(graphql, ada, ticket, credential) for _ in range(10)))

    assert sum(not one.errors for one in answers) == 1
    assert {one.code for one in answers if one.errors} == {"INVALID_CODE"}
    assert await number(services, Passkey) == 1


async def test_two_accounts_that_add_one_passkey_at_once_get_it_once(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    authenticator, users = Authenticator(), (ada, grace)
    begun = [await start(graphql, user) for user in users]
    added = await asyncio.gather(
        *(
            finish(graphql, user, ticket, authenticator.create(options))
            for user, (ticket, options) in zip(users, begun, strict=True)
        )
    )

    assert sorted(one.code if one.errors else "OK" for one in added) == ["INVALID_CODE", "OK"]
    assert await number(services, Passkey) == 1


async def test_first_passkeys_that_are_begun_at_once_have_one_handle(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    begun = await asyncio.gather(*(start(graphql, ada) for _ in range(5)))

    assert len({options["user"]["id"] for _, options in begun}) == 1


async def test_of_twenty_one_that_are_finished_at_once_one_is_too_many(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    begun = [await start(graphql, ada) for _ in range(21)]
    answers = await asyncio.gather(
        *(
            finish(graphql, ada, ticket, Authenticator().create(options))
            for ticket, options in begun
        )
    )

    assert [one.code for one in answers if one.errors] == ["QUOTA_EXCEEDED"]
    assert await number(services, Passkey) == 20


async def test_the_last_two_passkeys_are_not_removed_at_once(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    passkeys = [(await add(graphql, ada))[1] for _ in range(2)]
    async with services.database.writing() as session:
        # A sign-in with a code by mail leaves an account without a password.
        await session.execute(update(User).values(password_hash=None))
    answers = await asyncio.gather(
        *(graphql(REMOVE_PASSKEY, by=ada, id=passkey["id"]) for passkey in passkeys)
    )

    assert sorted(one.code if one.errors else "OK" for one in answers) == ["INVALID_INPUT", "OK"]
    assert await number(services, Passkey) == 1
