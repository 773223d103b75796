"""The number of statements for a page: one, and one more for each page request nested in it."""

import pytest

from tests.posts import publish
from tests.statements import statements
from tests.users import GraphQL, RegisteredUser, register_user


@pytest.fixture
async def users(graphql: GraphQL) -> list[RegisteredUser]:
    """Return five users with three posts each."""
    users = [
        await register_user(graphql, f"writer.{n}", f"writer{n}@example.com", "analytical engine")
        for n in range(5)
    ]
    for n in range(3):
        for user in users:
            await publish(graphql, user, title=f"{user.username} {n}")
    return users


async def test_posts_with_their_authors_take_one_statement(
    graphql: GraphQL, users: list[RegisteredUser]
) -> None:
    with statements() as seen:
        answer = await graphql("{ posts(first: 15) { edges { node { author { username } } } } }")

    authors = {edge["node"]["author"]["username"] for edge in answer.data["posts"]["edges"]}
    assert authors == {user.username for user in users}
    assert len(seen) == 1


async def test_posts_of_the_authors_of_posts_take_two(
    graphql: GraphQL, users: list[RegisteredUser]
) -> None:
    with statements() as seen:
        answer = await graphql("""{
          posts(first: 15) { edges { node { title author { username
            posts(first: 2) { edges { node { title } } pageInfo { hasNextPage } } } } } }
        }""")

    assert len(seen) == 2
    for edge in answer.data["posts"]["edges"]:
        author = edge["node"]["author"]
        theirs = [edge["node"]["title"] for edge in author["posts"]["edges"]]
        assert theirs == [f"{author['username']} 2", f"{author['username']} 1"]
        assert author["posts"]["pageInfo"]["hasNextPage"]


async def test_each_page_request_for_the_authors_posts_is_one_statement(
    graphql: GraphQL, users: list[RegisteredUser]
) -> None:
    pages = " ".join(f"p{n}: posts(first: {n}) {{ edges {{ cursor }} }}" for n in range(1, 5))
    with statements() as seen:
        answer = await graphql(
            f"{{ posts(first: 15) {{ edges {{ node {{ author {{ {pages} }} }} }} }} }}"
        )

    assert len(answer.data["posts"]["edges"]) == 15
    assert len(seen) == 1 + 4


async def test_me_is_read_once_a_request(graphql: GraphQL, users: list[RegisteredUser]) -> None:
    with statements() as seen:
        await graphql("{ a: me { id } b: me { email } c: me { username } }", by=users[0])

    assert len(seen) == 1


async def test_siblings_that_ask_for_the_posts_of_different_users_are_read_at_once(
    graphql: GraphQL, users: list[RegisteredUser]
) -> None:
    fields = " ".join(
        f'p{n}: posts(first: 1, author: "{p.id}") {{ edges {{ node {{ author {{ id }} }} }} }}'
        for n, p in enumerate(users)
    )
    with statements() as seen:
        answer = await graphql(f"{{ {fields} }}")

    assert [answer.data[f"p{n}"]["edges"][0]["node"]["author"]["id"] for n in range(5)] == [
        user.id for user in users
    ]
    assert len(seen) == 1


async def test_a_field_asked_again_after_a_mutation_sees_it(
    graphql: GraphQL, users: list[RegisteredUser]
) -> None:
    answer = await graphql(
        """mutation {
          a: createPost(input: { title: "a", content: "a" }) { author { username } }
          updateMe(input: { username: "renamed" }) { id }
          b: createPost(input: { title: "b", content: "b" }) { author { username } }
        }""",
        by=users[0],
    )

    assert answer.data["a"]["author"] == {"username": "writer.0"}
    assert answer.data["b"]["author"] == {"username": "renamed"}
