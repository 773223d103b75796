"""How users would spread over shards by their ids, and which requests would stay on one shard.

    python -m benchmarks.shards

It makes ids and counts where they would be. It sends real requests to an application on SQLite, and
reads whether the statements that they execute name a user, another key, or neither. No database is
sharded. It prints the tables of docs/explanation/sizes.md.
"""

import asyncio
import itertools
import random
import re
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from enum import IntEnum
from hashlib import blake2b

from api.app import create_app
from benchmarks.operations import PAGE, SECURITY_EVENTS
from domain.ids import new_id
from tests.conftest import client_of, settings_for
from tests.databases import migrate
from tests.operations import (
    CREATE_POST,
    LOGIN,
    LOGOUT,
    ME,
    POST,
    REFRESH,
    REGISTER,
    SESSIONS,
    UPDATE_ME,
)
from tests.statements import statements
from tests.users import Answer, GraphQL, register_user

USERS = 1_000_000
REQUESTS = 1_000_000
SHARDS = (4, 16, 64)

USER = "query ($id: ID!) { user(id: $id) { username } }"
POSTS_OF_USER = "query ($id: ID!) { posts(author: $id, first: 20) { edges { node { title } } } }"

# Of a thousand requests. An assumption, and not measured: frontends read `me` on each page, refresh
# twice an hour, and read more than they write.
MIX = {
    "me": 600,
    "a page of all posts": 100,
    "refresh": 80,
    "post": 60,
    "posts of one user": 60,
    "user": 40,
    "login": 15,
    "logout": 10,
    "sessions": 10,
    "security events": 10,
    "createPost": 8,
    "updateMe": 5,
    "register": 2,
}


class Names(IntEnum):
    """What a statement names, from the best to the worst for shards by user."""

    USER = 0
    #: The id of a session. Its access token has the id of the user, too.
    SESSION = 1
    #: A username, an email, a refresh token or a post: the user is not known yet. A new user needs
    #: names that are unique on all shards.
    OTHER_KEY = 2
    NOTHING = 3


_PATTERNS = {
    Names.USER: r"\b(users\.id|user_id|author_id) (=|IN) \(?\?|^INSERT INTO (?!users)",
    Names.SESSION: r"\bsessions\.id (=|IN) \(?\?",
    Names.OTHER_KEY: r"\b(posts\.id|\w+_key|\w+_hash) (=|IN) \(?\?|^INSERT INTO users",
}


def names(sql: str) -> Names:
    found = (kind for kind, pattern in _PATTERNS.items() if re.search(pattern, sql))
    return next(found, Names.NOTHING)


async def worst_of_requests() -> dict[str, Names]:
    """Send each request, and return the worst of its statements."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/shards.db"
        await asyncio.to_thread(migrate, url)
        app = create_app(settings_for(url))
        async with app.router.lifespan_context(app), client_of(app) as client:
            requests = await _requests(GraphQL(client))
            return {name: await _worst(send) for name, send in requests.items()}


async def _requests(graphql: GraphQL) -> dict[str, Callable[[], Awaitable[Answer]]]:
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    input = {"title": "Notes", "content": "On the analytical engine"}
    post = (await graphql(CREATE_POST, by=ada, input=input)).data["createPost"]["id"]
    bob = {"username": "Bob", "email": "bob@example.com", "password": "difference engine"}
    return {
        "me": lambda: graphql(ME, by=ada),
        "a page of all posts": lambda: graphql(PAGE),
        "refresh": lambda: graphql(REFRESH, token=ada.refresh_token),
        "post": lambda: graphql(POST, id=post),
        "posts of one user": lambda: graphql(POSTS_OF_USER, id=ada.id),
        "user": lambda: graphql(USER, id=ada.id),
        "login": lambda: graphql(LOGIN, username="Ada", password=ada.password),
        "sessions": lambda: graphql(SESSIONS, by=ada),
        "security events": lambda: graphql(SECURITY_EVENTS, by=ada),
        "createPost": lambda: graphql(CREATE_POST, by=ada, input=input),
        "updateMe": lambda: graphql(UPDATE_ME, by=ada, input={"imageFile": "a.png"}),
        "register": lambda: graphql(REGISTER, **bob),
        # The last one: it ends the session.
        "logout": lambda: graphql(LOGOUT, by=ada),
    }


async def _worst(send: Callable[[], Awaitable[Answer]]) -> Names:
    with statements() as seen:
        answer = await send()
    assert answer.errors == []
    return max(names(one.sql) for one in seen if not one.sql.startswith("BEGIN"))


def shard_of(id: bytes, shards: int) -> int:
    """Return the shard of an id by its hash. (Citus has another hash, which is as even.)"""
    return int.from_bytes(blake2b(id, digest_size=8).digest()) % shards


def fullest(shards: int, ids: Iterable[bytes]) -> float:
    """Return how many ids the fullest shard has, relative to the mean."""
    counts = Counter(shard_of(id, shards) for id in ids)
    return max(counts.values()) * shards / counts.total()


def print_spread() -> None:
    ids = [new_id().bytes for _ in range(USERS)]
    # Zipf's law: the second busiest user sends half as many requests as the first, and so on.
    weights = list(itertools.accumulate(1 / rank for rank in range(1, USERS + 1)))
    requests = random.Random(1).choices(ids, cum_weights=weights, k=REQUESTS)  # noqa: S311
    print("| shards | requests of the busiest shard | users of the fullest shard |\n|---|---|---|")
    for shards in SHARDS:
        print(f"| {shards} | {fullest(shards, requests):.3f} | {fullest(shards, ids):.3f} |")


def print_requests(worst: dict[str, Names]) -> None:
    print("| share of requests | worst statement names | requests |\n|---|---|---|")
    for kind in reversed(Names):
        these = [name for name in MIX if worst[name] is kind]
        share = sum(MIX[name] for name in these) / sum(MIX.values())
        print(f"| {share:.1%} | {kind.name} | {', '.join(these)} |")


if __name__ == "__main__":
    print_spread()
    print()
    print_requests(asyncio.run(worst_of_requests()))
