"""How many bytes one response holds, and all that are under way together."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from graphql import GraphQLError
from starlette.types import Message
from strawberry.dataloader import DataLoader

from db.models import Post
from domain.ids import new_id
from domain.services import Services
from graphql_schema import response_size
from graphql_schema.response_size import MAX_RESPONSE_BYTES
from tests.operations import UPDATE_ME
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, RegisteredUser

# The largest post: 50,000 characters of 4 bytes.
LARGEST = "🔑" * 50_000

CONTENTS = "query ($first: Int) { posts(first: $first) { edges { node { content } } } }"

# Without the rate limits of production, one test may fill the table.
POSTS = 25


@pytest.fixture
async def large_posts(ada: RegisteredUser, services: Services) -> None:
    await add_posts(services, ada, LARGEST, POSTS)


async def add_posts(services: Services, by: RegisteredUser, content: str, number: int) -> None:
    now = datetime.now(UTC)
    async with services.database.writing() as session:
        session.add_all(
            Post(
                id=new_id(),
                author_id=UUID(by.id),
                title="Notes",
                content=content,
                created_at=now,
                updated_at=now,
            )
            for _ in range(number)
        )


@pytest.mark.usefixtures("large_posts")
async def test_the_default_page_fits_whatever_the_posts_hold(client: httpx.AsyncClient) -> None:
    query = "{ posts { edges { node { id title content createdAt author { username } } } } }"
    response = await client.post("/graphql", json={"query": query})

    edges = response.json()["data"]["posts"]["edges"]
    assert [edge["node"]["content"] for edge in edges] == [LARGEST] * 20
    assert len(response.content) < MAX_RESPONSE_BYTES


@pytest.mark.usefixtures("large_posts")
@pytest.mark.parametrize(
    "query",
    [
        "{ posts(first: 100) { edges { node { content } } } }",
        # Two pages that fit by themselves.
        "{ a: posts(first: 11) { ...P } b: posts(first: 11) { ...P } }"
        " fragment P on PostConnection { edges { node { content } } }",
        # One page, each content twice.
        "{ posts(first: 11) { edges { node { a: content b: content } } } }",
        # By way of the author.
        "{ posts(first: 2) { edges { node { author { posts(first: 15) { edges { node { content } } } } } } } }",
    ],
)
async def test_a_response_that_would_hold_more_is_refused_in_words(
    graphql: GraphQL, query: str
) -> None:
    answer = await graphql(query)

    assert answer.data is None
    assert answer.code == "QUERY_TOO_COSTLY"
    assert "Ask for fewer" in answer.error["message"]


@pytest.mark.usefixtures("large_posts")
async def test_a_hundred_posts_without_content_are_a_page_like_any_other(graphql: GraphQL) -> None:
    answer = await graphql("{ posts(first: 100) { edges { node { title author { username } } } } }")

    assert answer.errors == []
    assert len(answer.data["posts"]["edges"]) == POSTS


async def test_a_hundred_posts_of_ordinary_length_are_returned_with_content(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await add_posts(services, ada, "It weaves algebraic patterns. " * 100, 100)
    answer = await graphql(CONTENTS, first=100)

    assert answer.errors == []
    assert len(answer.data["posts"]["edges"]) == 100


async def test_aliases_of_one_mutation_cannot_make_the_response_longer(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    aliases = " ".join(f"p{n}: createPost(input: $input) {{ content }}" for n in range(22))
    answer = await graphql(
        f"mutation ($input: PostInput!) {{ {aliases} }}",
        by=ada,
        input={"title": "Notes", "content": LARGEST},
    )

    assert answer.code == "QUERY_TOO_COSTLY"


async def test_a_response_of_other_long_texts_is_refused_before_it_is_sent(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await graphql(UPDATE_ME, by=ada, input={"imageFile": "https://example.com/" + "x" * 2000})
    await add_posts(services, ada, "short", 100)
    pictures = " ".join(f"i{n}: imageFile" for n in range(30))
    answer = await graphql(
        f"{{ posts(first: 100) {{ edges {{ node {{ author {{ {pictures} }} }} }} }} }}"
    )

    assert answer.code == "QUERY_TOO_COSTLY"


async def test_a_lone_surrogate_in_a_response_is_still_json(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql",
        content=b'{"query": "{ x\\ud800: nothing }"}',
        headers={"Content-Type": "application/json"},
    )

    assert response.json()["errors"]


class Reader:
    """A client of the ASGI application that reads nothing of a body until it is told to."""

    def __init__(self, app: FastAPI, ip: str, *, reads: bool = False) -> None:
        self._app = app
        self._ip = ip
        self.may_read = asyncio.Event()
        if reads:
            self.may_read.set()
        self.got_body = asyncio.Event()
        self.body = b""

    async def ask(self, query: str) -> Any:
        request = iter([json.dumps({"query": query}).encode()])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": next(request)}

        async def send(message: Message) -> None:
            if self.got_body.is_set():
                # As a server does while its buffer is full.
                await self.may_read.wait()
            if body := message.get("body"):
                self.body += body
                self.got_body.set()

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
            "client": (self._ip, 1),
            "server": ("gatehouse.test", 80),
            "scheme": "http",
        }
        await self._app(scope, receive, send)
        return json.loads(self.body)


LARGE_PAGE = "{ posts(first: 15) { edges { node { content } } } }"


@asynccontextmanager
async def unread(app: FastAPI, ips: list[str]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Ask for a large page from each address and read nothing. Yields the requests, read at the
    end."""
    readers = [Reader(app, ip) for ip in ips]
    requests = [asyncio.create_task(reader.ask(LARGE_PAGE)) for reader in readers]
    for reader in readers:
        await reader.got_body.wait()
    try:
        yield requests
    finally:
        for reader in readers:
            reader.may_read.set()
        await asyncio.gather(*requests)


async def ask(app: FastAPI, ip: str, query: str) -> Any:
    return await Reader(app, ip, reads=True).ask(query)


def code(response: Any) -> str | None:
    errors = response.get("errors")
    return errors[0]["extensions"]["code"] if errors else None


@pytest.mark.usefixtures("large_posts")
async def test_a_network_that_does_not_read_gets_no_more_large_responses(app: FastAPI) -> None:
    async with unread(app, ["198.51.100.1"] * 2):
        refused = await ask(app, "198.51.100.1", LARGE_PAGE)
        small = await ask(app, "198.51.100.1", "{ posts { edges { node { id } } } }")
        elsewhere = await ask(
            app, "198.51.100.2", "{ posts(first: 5) { edges { node { content } } } }"
        )
    again = await ask(app, "198.51.100.1", LARGE_PAGE)

    assert code(refused) == "OVERLOADED"
    assert code(small) is code(elsewhere) is None
    assert code(again) is None


@pytest.mark.usefixtures("large_posts")
async def test_clients_that_do_not_read_hold_a_bounded_number_of_bytes(app: FastAPI) -> None:
    networks = [f"198.51.100.{n}" for n in range(12)]
    async with unread(app, networks) as requests:
        held = app.state.gatehouse.responses.total

    assert held <= response_size.MAX_BYTES_UNDER_WAY
    codes = [code(await request) for request in requests]
    assert set(codes) == {None, "OVERLOADED"}
    assert app.state.gatehouse.responses.total == 0


@pytest.mark.usefixtures("large_posts")
async def test_a_client_that_leaves_gives_back_what_it_held(app: FastAPI) -> None:
    reader = Reader(app, "198.51.100.1")
    request = asyncio.create_task(reader.ask(LARGE_PAGE))
    await reader.got_body.wait()
    request.cancel()

    assert code(await ask(app, "198.51.100.1", LARGE_PAGE)) is None
    assert app.state.gatehouse.responses.total == 0


@pytest.mark.usefixtures("large_posts")
@pytest.mark.parametrize(
    "query",
    [
        # The contents are still being read when the other field has failed.
        "{ a: posts(first: 9) { edges { node { content } } } b: posts(first: 101) { edges { cursor } } }",
        # Refused after some of it was weighed.
        "{ posts(first: 9) { edges { node { content author { posts(first: 9) { edges { node { content } } } } } } } }",
    ],
)
async def test_a_response_that_fails_gives_back_what_it_held(
    app: FastAPI, services: Services, query: str
) -> None:
    for _ in range(3):
        assert code(await ask(app, "198.51.100.1", query))
    # By then nothing of the others is running.
    assert code(await ask(app, "198.51.100.1", LARGE_PAGE)) is None

    assert app.state.gatehouse.responses.total == 0


@pytest.mark.usefixtures("large_posts")
async def test_a_request_past_its_deadline_gives_back_what_it_held(
    app: FastAPI, services: Services
) -> None:
    reader = Reader(app, "198.51.100.1", reads=True)
    request = asyncio.create_task(reader.ask(LARGE_PAGE))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not app.state.gatehouse.responses.total:  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(0)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert code(await ask(app, "198.51.100.1", LARGE_PAGE)) is None
    assert app.state.gatehouse.responses.total == 0


@pytest.mark.usefixtures("large_posts")
async def test_a_response_is_freed_without_garbage_collection(app: FastAPI) -> None:
    """Otherwise megabytes of contents stay, and thousands of frames of the errors in a list are
    freed in a pause of all requests."""
    gc.collect()
    gc.disable()
    try:
        before = number_of(GraphQLError, DataLoader)
        answered = await ask(app, "198.51.100.1", LARGE_PAGE)
        refused = await ask(
            app, "198.51.100.1", "{ posts(first: 30) { edges { node { content } } } }"
        )
        after = number_of(GraphQLError, DataLoader)
    finally:
        gc.enable()

    assert code(answered) is None
    assert code(refused) == "QUERY_TOO_COSTLY"
    assert after <= before


def number_of(*types: type) -> int:
    return sum(isinstance(value, types) for value in gc.get_objects())
