"""How many statements a page takes: one, and one more for each page_request of pages inside it, whatever the number of rows."""

import pytest

from tests.posts import publish
from tests.statements import statements
from tests.users import GraphQL, RegisteredUser, register_user


@pytest.fixture
async def people(graphql: GraphQL) -> list[RegisteredUser]:
    """Five people with three posts each."""
    people = [
        await register_user(graphql, f"writer.{n}", f"writer{n}@example.com", "analytical engine")
        for n in range(5)
    ]
    for n in range(3):
        for person in people:
            await publish(graphql, person, title=f"{person.username} {n}")
    return people


async def test_posts_with_their_authors_take_one_statement(
    graphql: GraphQL, people: list[RegisteredUser]
) -> None:
    with statements() as seen:
        answer = await graphql("{ posts(first: 15) { edges { node { author { username } } } } }")

    authors = {edge["node"]["author"]["username"] for edge in answer.data["posts"]["edges"]}
    assert authors == {person.username for person in people}
    assert len(seen) == 1


async def test_posts_of_the_authors_of_posts_take_two(
    graphql: GraphQL, people: list[RegisteredUser]
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


async def test_each_window_of_the_authors_posts_is_one_statement(
    graphql: GraphQL, people: list[RegisteredUser]
) -> None:
    windows = " ".join(f"w{n}: posts(first: {n}) {{ edges {{ cursor }} }}" for n in range(1, 5))
    with statements() as seen:
        answer = await graphql(
            f"{{ posts(first: 15) {{ edges {{ node {{ author {{ {windows} }} }} }} }} }}"
        )

    assert len(answer.data["posts"]["edges"]) == 15
    assert len(seen) == 1 + 4


async def test_me_is_read_once_a_request(graphql: GraphQL, people: list[RegisteredUser]) -> None:
    with statements() as seen:
        await graphql("{ a: me { id } b: me { email } c: me { username } }", by=people[0])

    assert len(seen) == 1


async def test_siblings_that_ask_for_the_posts_of_different_people_are_read_at_once(
    graphql: GraphQL, people: list[RegisteredUser]
) -> None:
    fields = " ".join(
        f'p{n}: posts(first: 1, author: "{p.id}") {{ edges {{ node {{ author {{ id }} }} }} }}'
        for n, p in enumerate(people)
    )
    with statements() as seen:
        answer = await graphql(f"{{ {fields} }}")

    assert [answer.data[f"p{n}"]["edges"][0]["node"]["author"]["id"] for n in range(5)] == [
        person.id for person in people
    ]
    assert len(seen) == 1


async def test_a_field_asked_again_after_a_mutation_sees_it(
    graphql: GraphQL, people: list[RegisteredUser]
) -> None:
    answer = await graphql(
        """mutation {
          a: createPost(input: { title: "a", content: "a" }) { author { username } }
          updateMe(input: { username: "renamed" }) { id }
          b: createPost(input: { title: "b", content: "b" }) { author { username } }
        }""",
        by=people[0],
    )

    assert answer.data["a"]["author"] == {"username": "writer.0"}
    assert answer.data["b"]["author"] == {"username": "renamed"}
