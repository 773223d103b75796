import re

import pytest

from domain.ids import new_id
from domain.pagination import cursor
from domain.services import Services
from tests.operations import DELETE_POST, POSTS
from tests.posts import publish, titles
from tests.statements import explain, statements
from tests.users import GraphQL, RegisteredUser

BY_AUTHOR = """
query ($id: ID!, $first: Int, $after: String) {
  user(id: $id) { posts(first: $first, after: $after) {
    edges { node { title } } pageInfo { hasNextPage endCursor }
  } }
}
"""


async def publish_several(graphql: GraphQL, by: RegisteredUser, number: int) -> list[str]:
    """Publish posts, and return their titles, the oldest first."""
    written = [f"{by.username} {n}" for n in range(number)]
    for title in written:
        await publish(graphql, by, title=title)
    return written


async def test_pages_from_the_newest_to_the_oldest(graphql: GraphQL, ada: RegisteredUser) -> None:
    written = await publish_several(graphql, ada, 5)
    one = (await graphql(POSTS, first=2)).data["posts"]
    two = (await graphql(POSTS, first=2, after=one["pageInfo"]["endCursor"])).data["posts"]
    three = (await graphql(POSTS, first=2, after=two["pageInfo"]["endCursor"])).data["posts"]

    assert titles(one) + titles(two) + titles(three) == written[::-1]
    assert one["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": one["edges"][0]["cursor"],
        "endCursor": one["edges"][1]["cursor"],
    }
    assert three["pageInfo"]["hasNextPage"] is False
    assert three["pageInfo"]["hasPreviousPage"] is True


async def test_a_page_of_exactly_the_rest_is_the_last(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    await publish_several(graphql, ada, 2)
    page = (await graphql(POSTS, first=2)).data["posts"]

    assert page["pageInfo"]["hasNextPage"] is False


async def test_without_posts_the_page_is_empty(graphql: GraphQL) -> None:
    page = (await graphql("{ posts { edges { cursor } pageInfo { startCursor endCursor } } }")).data

    assert page["posts"] == {"edges": [], "pageInfo": {"startCursor": None, "endCursor": None}}


async def test_what_comes_and_goes_between_pages_moves_nothing(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    written = await publish_several(graphql, ada, 4)
    one = (await graphql(POSTS, first=2)).data["posts"]
    await publish(graphql, ada, title="newer")
    # The post that the cursor points to.
    await graphql(DELETE_POST, by=ada, id=one["edges"][1]["node"]["id"])
    two = (await graphql(POSTS, first=2, after=one["pageInfo"]["endCursor"])).data["posts"]

    assert titles(two) == [written[1], written[0]]


async def test_one_authors_posts_by_either_path(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    written = await publish_several(graphql, ada, 3)
    await publish_several(graphql, grace, 3)
    by_argument = (await graphql(POSTS, first=2, author=ada.id)).data["posts"]
    by_user = (await graphql(BY_AUTHOR, id=ada.id, first=2)).data["user"]["posts"]
    rest = await graphql(BY_AUTHOR, id=ada.id, first=2, after=by_user["pageInfo"]["endCursor"])

    assert titles(by_argument) == titles(by_user) == [written[2], written[1]]
    assert titles(rest.data["user"]["posts"]) == [written[0]]
    assert rest.data["user"]["posts"]["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("author", ["", "nobody", "\0", "01a20b4f-86e6-798e-a28a-5b58b1321842"])
async def test_an_author_who_is_nobody_has_written_nothing(
    graphql: GraphQL, ada: RegisteredUser, author: str
) -> None:
    await publish_several(graphql, ada, 1)
    page = (await graphql(POSTS, first=1, author=author)).data["posts"]

    assert page["edges"] == []
    assert page["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, None])
async def test_a_page_has_1_to_100_entries(
    graphql: GraphQL, ada: RegisteredUser, first: int | None
) -> None:
    every = await graphql(POSTS, first=first)
    theirs = await graphql(BY_AUTHOR, id=ada.id, first=first)

    assert every.code == theirs.code == "INVALID_INPUT"
    assert list(every.fields) == list(theirs.fields) == ["first"]


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "\ud800",
        "é" * 22,
        "a" * 100_000,
        "!" * 22,
        "A" * 21 + "B",
        "A" * 21 + "=",
        "\0" * 22,
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(
    graphql: GraphQL, ada: RegisteredUser, after: str
) -> None:
    every = await graphql(POSTS, first=1, after=after)
    theirs = await graphql(BY_AUTHOR, id=ada.id, first=1, after=after)

    assert every.code == theirs.code == "INVALID_INPUT"
    assert list(every.fields) == list(theirs.fields) == ["after"]


def test_ids_made_one_after_the_other_sort_so() -> None:
    made = [new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert {id.version for id in made} == {7}
    assert len({cursor(id) for id in made}) == 1000


async def test_any_page_is_read_in_the_order_of_an_index(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    """Page 10,000 costs as much as page 1: the database seeks in an index and skips no rows."""
    with statements() as seen:
        await graphql(POSTS, first=20, after=cursor(new_id()))
        await graphql(POSTS, first=20, after=cursor(new_id()), author=ada.id)
    of_all, of_one = [await explain(services, statement) for statement in seen]

    assert re.search(r"pk_posts|sqlite_autoindex_posts_1", of_all)
    assert re.search(r"Index Cond|id<\?", of_all)
    assert not re.search(r"Sort|TEMP B-TREE", of_all)
    # The rows of one page are sorted once more, after the pages of all authors are combined.
    assert "ix_posts_author_id" in of_one
    assert re.search(r"Index Cond.*author_id.*id|author_id=\? AND id<\?", of_one)
