"""How much one user may write in a time, and keep."""

import asyncio
import time

import pytest

from settings import Settings
from tests.conftest import settings_for
from tests.operations import CREATE_POST, DELETE_POST, UPDATE_ME, UPDATE_POST
from tests.posts import NOTES, publish
from tests.users import GraphQL, RegisteredUser

QUOTA = 8


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        write_limit_per_user="5/minute",
        write_kib_limit_per_user="20/minute",
        posts_per_user=QUOTA,
    )


async def codes_of_posts(graphql: GraphQL, by: RegisteredUser, contents: list[str]) -> list[str]:
    answers = [
        await graphql(CREATE_POST, by=by, input={**NOTES, "content": content})
        for content in contents
    ]
    return [answer.code if answer.errors else "OK" for answer in answers]


async def test_aliases_that_share_one_variable_are_writes(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    aliases = " ".join(f"p{n}: createPost(input: $input) {{ id }}" for n in range(20))
    answer = await graphql(f"mutation ($input: PostInput!) {{ {aliases} }}", by=ada, input=NOTES)
    posts = await graphql(
        "query ($id: ID!) { user(id: $id) { posts { edges { cursor } } } }", id=ada.id
    )

    assert answer.code == "TOO_MANY_ATTEMPTS"
    assert 50 < answer.error["extensions"]["retryAfter"] <= 60
    assert len(posts.data["user"]["posts"]["edges"]) == 5


async def test_edits_and_profiles_count_and_deletions_do_not(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    post = await publish(graphql, ada)
    edits = [await graphql(UPDATE_POST, by=ada, id=post["id"], input=NOTES) for _ in range(2)]
    pictures = [await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"}) for _ in range(3)]
    deletion = await graphql(DELETE_POST, by=ada, id=post["id"])

    assert [answer.errors for answer in (*edits, *pictures[:2], deletion)] == [[]] * 5
    assert pictures[2].code == "TOO_MANY_ATTEMPTS"


async def test_bytes_count_whatever_the_number_of_writes(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    # In UTF-8: 12 KiB each.
    codes = await codes_of_posts(graphql, ada, ["🔑" * 3000] * 2 + ["short"])

    assert codes == ["OK", "TOO_MANY_ATTEMPTS", "OK"]


async def test_a_post_larger_than_the_limit_takes_all_of_it(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    codes = await codes_of_posts(graphql, ada, ["x" * 50_000, "short"])

    assert codes == ["OK", "TOO_MANY_ATTEMPTS"]


async def test_each_user_has_their_own_limit_on_any_network(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    assert (await codes_of_posts(graphql, ada, ["short"] * 6))[-1] == "TOO_MANY_ATTEMPTS"
    assert await codes_of_posts(graphql, grace, ["short"]) == ["OK"]


async def test_what_is_not_written_does_not_count(graphql: GraphQL, ada: RegisteredUser) -> None:
    invalid = await codes_of_posts(graphql, ada, [""] * 9)
    unknown = [await graphql(UPDATE_POST, by=ada, id="5", input=NOTES) for _ in range(9)]

    assert set(invalid) == {"INVALID_INPUT"}
    assert {answer.code for answer in unknown} == {"NOT_FOUND"}
    assert await codes_of_posts(graphql, ada, ["short"] * 5) == ["OK"] * 5


async def test_a_user_keeps_a_bounded_number_of_posts(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    posts = []
    for n in range(QUOTA):
        monkeypatch.setattr(time, "time", lambda moment=now + 61 * n: moment)
        posts.append(await publish(graphql, ada))
    refused = await graphql(CREATE_POST, by=ada, input=NOTES)
    edited = await graphql(UPDATE_POST, by=ada, id=posts[0]["id"], input=NOTES)
    await graphql(DELETE_POST, by=ada, id=posts[0]["id"])

    assert refused.code == "QUOTA_EXCEEDED"
    assert str(QUOTA) in refused.error["message"]
    assert edited.errors == []
    assert await codes_of_posts(graphql, ada, ["short"] * 2) == ["OK", "QUOTA_EXCEEDED"]
    assert await codes_of_posts(graphql, grace, ["short"]) == ["OK"]


async def test_concurrent_posts_do_not_exceed_the_quota(
    graphql: GraphQL, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for n in range(QUOTA - 1):
        monkeypatch.setattr(time, "time", lambda moment=now + 61 * n: moment)
        await publish(graphql, ada)
    monkeypatch.setattr(time, "time", lambda: now + 61 * QUOTA)
    answers = await asyncio.gather(*(graphql(CREATE_POST, by=ada, input=NOTES) for _ in range(4)))

    assert [answer.code for answer in answers if answer.errors] == ["QUOTA_EXCEEDED"] * 3
