"""Deleting an account: at once for its user, in batches for everyone else."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from api import background
from api.app import create_app
from db.models import LoginSession, Post, SecurityEvent, User
from domain import retention
from domain.ids import new_id
from domain.services import Services
from settings import Settings
from tests.operations import DELETE_ME, LOGIN, ME, POST, POSTS, REFRESH, UPDATE_POST, USER
from tests.posts import NOTES, publish
from tests.servers import TIMEOUT_SECONDS
from tests.sessions import log_in
from tests.statements import begun
from tests.users import GraphQL, RegisteredUser, register_user

MANY = 10_000


async def add_posts(services: Services, by: RegisteredUser, number: int) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "id": new_id(),
            "author_id": UUID(by.id),
            "title": "Notes",
            "content": "On the analytical engine",
            "created_at": now,
            "updated_at": now,
        }
        for _ in range(number)
    ]
    async with services.database.writing() as session:
        await session.execute(insert(Post), rows)


async def rows_left(services: Services, user: RegisteredUser) -> tuple[int, int, int]:
    """Return how many rows of the user, their posts and their sessions there are."""
    id = UUID(user.id)
    async with services.database.reading() as session:
        return (
            await session.scalar(select(func.count()).where(User.id == id)) or 0,
            await session.scalar(select(func.count()).where(Post.author_id == id)) or 0,
            await session.scalar(select(func.count()).where(LoginSession.user_id == id)) or 0,
        )


async def test_the_account_its_posts_and_its_sessions_are_gone(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    post, hers = await publish(graphql, ada), await publish(graphql, grace)
    phone = await log_in(graphql, ada)
    answer = await graphql(DELETE_ME, by=phone, password=ada.password)

    assert answer.data == {"deleteMe": ada.id}
    user = await graphql(USER, id=ada.id)
    assert user.data == {"user": None}
    assert (await graphql(POST, id=post["id"])).data == {"post": None}
    assert (await graphql(POST, id=hers["id"])).data["post"]["author"] == {"username": "Grace"}
    assert (await graphql(ME, by=phone)).code == (await graphql(ME, by=ada)).code
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"


async def test_the_name_and_the_email_are_free_again(graphql: GraphQL, ada: RegisteredUser) -> None:
    await graphql(DELETE_ME, by=ada, password=ada.password)
    another = await register_user(graphql, "ADA", "ada@example.com", "difference engine")

    assert another.id != ada.id


async def test_it_takes_the_password(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(DELETE_ME, by=ada, password="difference engine")

    assert answer.code == "INVALID_CREDENTIALS"
    assert list(answer.fields) == ["password"]
    assert (await graphql(ME, by=ada)).data["me"]["id"] == ada.id


async def test_nobody_has_no_account_to_delete(graphql: GraphQL) -> None:
    assert (await graphql(DELETE_ME, password="analytical engine")).code == "UNAUTHENTICATED"


async def test_nothing_is_left_of_an_ordinary_account(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await publish(graphql, ada)
    await graphql(DELETE_ME, by=ada, password=ada.password)

    assert await rows_left(services, ada) == (0, 0, 0)


async def test_an_account_of_many_posts_is_gone_at_once(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    post = await publish(graphql, ada)
    await add_posts(services, ada, MANY)
    phone = await log_in(graphql, ada)
    answer = await graphql(DELETE_ME, by=phone, password=ada.password)

    _, posts, _ = await rows_left(services, ada)
    assert answer.data == {"deleteMe": ada.id}
    assert posts > 0
    assert (await graphql(USER, id=ada.id)).data == {"user": None}
    assert (await graphql(POST, id=post["id"])).data == {"post": None}
    assert (await graphql(POSTS)).data["posts"]["edges"] == []
    assert (await graphql(POSTS, author=ada.id)).data["posts"]["edges"] == []
    assert [(await graphql(ME, by=by)).code for by in (ada, phone)] == ["UNAUTHENTICATED"] * 2
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    for name in (ada.username, ada.email, ""):
        login = await graphql(LOGIN, username=name, password=ada.password)
        assert login.code == "INVALID_CREDENTIALS"
    another = await register_user(graphql, "Ada", "ada@example.com", "difference engine")
    assert another.id != ada.id


async def test_others_write_between_the_batches_and_events_stay(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    await add_posts(services, ada, MANY)
    await graphql(DELETE_ME, by=ada, password=ada.password)
    purging = asyncio.create_task(retention.purge(services.database))
    for _ in range(3):
        await publish(graphql, grace)
    _, posts, _ = await rows_left(services, ada)

    assert posts > 0
    assert await purging == 1
    assert await rows_left(services, ada) == (0, 0, 0)
    assert len((await graphql(POSTS)).data["posts"]["edges"]) == 3
    async with services.database.reading() as session:
        own = SecurityEvent.user_id == UUID(ada.id)
        kinds = await session.scalars(
            select(SecurityEvent.kind).where(own).order_by(SecurityEvent.id)
        )
        assert list(kinds) == ["REGISTERED", "DELETED"]


async def test_what_is_cut_off_in_the_middle_continues(
    graphql: GraphQL, ada: RegisteredUser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So many batches that the second is not the last.
    monkeypatch.setattr(retention, "ACCOUNT_BATCH_SIZE", 20)
    await add_posts(services, ada, MANY)
    await graphql(DELETE_ME, by=ada, password=ada.password)
    # The first batch is committed when the second begins.
    with begun("DELETE FROM posts", times=2) as second_batch:
        purging = asyncio.create_task(retention.purge(services.database))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await second_batch.wait()
        purging.cancel()
    await asyncio.gather(purging, return_exceptions=True)
    _, posts, _ = await rows_left(services, ada)

    assert 0 < posts < MANY
    assert (await graphql(USER, id=ada.id)).data == {"user": None}
    async with asyncio.timeout(TIMEOUT_SECONDS):
        # PostgreSQL notices the end of a connection a moment later, and until then the account
        # belongs to it. The application may come first: it purges, too.
        while await rows_left(services, ada) != (0, 0, 0):
            await retention.purge(services.database)
    assert await retention.purge(services.database) == 0


async def test_two_processes_share_the_work(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await add_posts(services, ada, retention.ACCOUNT_BATCH_SIZE * 5)
    await graphql(DELETE_ME, by=ada, password=ada.password)
    gone = await asyncio.gather(*(retention.purge(services.database) for _ in range(2)))

    # On PostgreSQL the second one leaves the account to the first.
    assert sum(gone) == 1
    assert await rows_left(services, ada) == (0, 0, 0)


async def test_an_account_of_many_sessions_goes_in_batches_too(
    graphql: GraphQL, ada: RegisteredUser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ACCOUNT_BATCH_SIZE", 2)
    for _ in range(6):
        await log_in(graphql, ada)
    await graphql(DELETE_ME, by=ada, password=ada.password)
    left = await rows_left(services, ada)

    assert left == (1, 0, 5)
    assert await retention.purge(services.database) == 1
    assert await rows_left(services, ada) == (0, 0, 0)


async def test_a_serving_process_deletes_the_rest(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add_posts(services, ada, retention.ACCOUNT_BATCH_SIZE * 3)
    await graphql(DELETE_ME, by=ada, password=ada.password)
    monkeypatch.setattr(background, "PURGE_EVERY", timedelta(milliseconds=1))
    app = create_app(settings)
    async with app.router.lifespan_context(app), asyncio.timeout(TIMEOUT_SECONDS):
        while await rows_left(services, ada) != (0, 0, 0):
            pass


async def test_a_login_whose_account_is_deleted_meanwhile_is_refused(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    """A deleted account whose names were found just before."""
    async with services.database.writing() as session:
        await session.execute(update(User).values(deleted_at=datetime.now(UTC)))

    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"


async def test_edits_and_a_deletion_at_once_end_without_a_deadlock(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    posts = [await publish(graphql, ada) for _ in range(5)]
    edits = [
        graphql(UPDATE_POST, by=ada, id=post["id"], input=NOTES) for post in posts for _ in range(4)
    ]
    deletion, *answers = await asyncio.gather(
        graphql(DELETE_ME, by=ada, password=ada.password), *edits
    )

    assert deletion.errors == []
    codes = {answer.code for answer in answers if answer.errors}
    assert codes <= {"UNAUTHENTICATED", "NOT_FOUND"}
