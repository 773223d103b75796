import asyncio

import pytest
from sqlalchemy import delete

from db.models import User
from domain.services import Services
from tests.operations import CREATE_POST, DELETE_POST, POST, UPDATE_POST
from tests.posts import NOTES, publish
from tests.users import UNKNOWN_ID, GraphQL, RegisteredUser


async def test_anyone_may_read_what_someone_publishes(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    post = await publish(graphql, ada)
    answer = await graphql(POST, id=post["id"])

    assert post["author"] == {"id": ada.id, "username": "Ada"}
    assert post["createdAt"] == post["updatedAt"]
    assert answer.data["post"] == {"id": post["id"], **NOTES, "author": {"username": "Ada"}}


async def test_an_author_edits_their_post(graphql: GraphQL, ada: RegisteredUser) -> None:
    post = await publish(graphql, ada)
    answer = await graphql(
        UPDATE_POST, by=ada, id=post["id"], input={"title": "Note G", "content": "B7"}
    )

    edited = answer.data["updatePost"]
    assert (edited["title"], edited["content"]) == ("Note G", "B7")
    assert edited["createdAt"] == post["createdAt"]
    assert edited["updatedAt"] > post["updatedAt"]


async def test_an_author_removes_their_post(graphql: GraphQL, ada: RegisteredUser) -> None:
    post = await publish(graphql, ada)
    answer = await graphql(DELETE_POST, by=ada, id=post["id"])

    assert answer.data == {"deletePost": post["id"]}
    assert (await graphql(POST, id=post["id"])).data == {"post": None}


async def test_nobody_touches_someone_elses_post(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    post = await publish(graphql, ada)

    assert (await graphql(UPDATE_POST, by=grace, id=post["id"], input=NOTES)).code == "FORBIDDEN"
    assert (await graphql(DELETE_POST, by=grace, id=post["id"])).code == "FORBIDDEN"
    assert (await graphql(UPDATE_POST, id=post["id"], input=NOTES)).code == "UNAUTHENTICATED"
    assert (await graphql(DELETE_POST, id=post["id"])).code == "UNAUTHENTICATED"
    assert (await graphql(CREATE_POST, input=NOTES)).code == "UNAUTHENTICATED"
    assert (await graphql(POST, id=post["id"])).data["post"]["title"] == "Notes"


@pytest.mark.parametrize("id", ["", "5", "\ud800", "\0", UNKNOWN_ID, f"urn:uuid:{UNKNOWN_ID}"])
async def test_there_is_no_such_post(graphql: GraphQL, ada: RegisteredUser, id: str) -> None:
    assert (await graphql(POST, id=id)).data == {"post": None}
    assert (await graphql(UPDATE_POST, by=ada, id=id, input=NOTES)).code == "NOT_FOUND"
    assert (await graphql(DELETE_POST, by=ada, id=id)).code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("title", "two\u2028lines"),
        ("title", "\u200b\ufeff"),
        ("content", "\u200b \u2060"),
        ("title", "nul\0"),
        ("title", "half\ud800"),
        ("content", ""),
        ("content", " \n\t "),
        ("content", "x" * 50_001),
        ("content", "nul\0"),
        ("content", "half\udfff"),
        ("content", "escape\x1b[2J"),
    ],
)
async def test_what_cannot_be_published_is_refused_and_named(
    graphql: GraphQL, ada: RegisteredUser, field: str, text: str
) -> None:
    post = await publish(graphql, ada)
    created = await graphql(CREATE_POST, by=ada, input={**NOTES, field: text})
    updated = await graphql(UPDATE_POST, by=ada, id=post["id"], input={**NOTES, field: text})

    assert created.code == updated.code == "INVALID_INPUT"
    assert list(created.fields) == list(updated.fields) == [field]


@pytest.mark.parametrize(
    ("title", "content"),
    [
        ("x" * 200, "x" * 50_000),
        ("🔑" * 200, "🔑" * 50_000),
        ("👩‍💻 کتاب‌ها", "tabs\tand\r\nlines"),
        (" spaces stay ", " as they are "),
    ],
)
async def test_what_is_published_is_kept_exactly_as_written(
    graphql: GraphQL, ada: RegisteredUser, title: str, content: str
) -> None:
    post = await publish(graphql, ada, title=title, content=content)
    answer = await graphql(POST, id=post["id"])

    assert (answer.data["post"]["title"], answer.data["post"]["content"]) == (title, content)


async def test_a_deleted_account_publishes_edits_and_removes_nothing(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    post = await publish(graphql, grace)
    async with services.database.writing() as session:
        await session.execute(delete(User).where(User.username == "Ada"))

    answers = [
        await graphql(CREATE_POST, by=ada, input=NOTES),
        await graphql(UPDATE_POST, by=ada, id=post["id"], input=NOTES),
        await graphql(DELETE_POST, by=ada, id=post["id"]),
    ]
    assert [answer.code for answer in answers] == ["UNAUTHENTICATED"] * 3


async def test_the_posts_of_a_deleted_account_are_gone(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    post = await publish(graphql, ada)
    async with services.database.writing() as session:
        await session.execute(delete(User))

    assert (await graphql(POST, id=post["id"])).data == {"post": None}


async def test_an_edit_and_a_removal_at_once_end_in_one_or_the_other(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    for _ in range(5):
        post = await publish(graphql, ada)
        edits = [graphql(UPDATE_POST, by=ada, id=post["id"], input=NOTES) for _ in range(4)]
        removals = [graphql(DELETE_POST, by=ada, id=post["id"]) for _ in range(2)]
        answers = await asyncio.gather(*edits, *removals)

        codes = {answer.code for answer in answers if answer.errors}
        assert codes <= {"NOT_FOUND"}
        assert sum(not answer.errors for answer in answers[4:]) == 1
