"""One database of each kind, with users who have registered through the domain and have a post."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from api.services import create_app_state
from benchmarks.servers import PORT, SECRET_KEY
from benchmarks.wrk import Request
from db import migrations
from db.models import Post
from domain import accounts
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.ids import new_id
from domain.services import Services
from settings import Settings
from tests import databases

USERS = 500
PASSWORD = "analytical engine"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class SeededDatabase:
    """``kind`` is SQLITE or POSTGRESQL. ``tokens`` has an access token for each of its users.

    The users are called ``user.0``, ``user.1`` and so on.
    """

    kind: str
    url: str
    tokens: Sequence[str]

    def requests(self, body: str) -> list[Request]:
        """Return the same request from each user."""
        return [Request(body, token) for token in self.tokens]


@contextmanager
def seeded_databases() -> Iterator[Sequence[SeededDatabase]]:
    with empty_databases() as urls:
        yield [SeededDatabase(kind, url, asyncio.run(_seed(url))) for kind, url in urls.items()]


@contextmanager
def empty_databases() -> Iterator[dict[str, str]]:
    """Yield the URLs of new databases by their kind."""
    with databases.empty_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        yield {SQLITE: f"sqlite:///{folder}/gatehouse.db", POSTGRESQL: postgres}


def services_for(url: str, **settings: object) -> Services:
    return create_app_state(
        Settings(
            secret_key=SECRET_KEY,  # type: ignore[arg-type]
            database_url=url,  # type: ignore[arg-type]
            port=PORT,  # part of a token's issuer
            register_limit_per_network="100000/second",
            access_token_expire_minutes=24 * 60,  # longer than a run
            **settings,  # type: ignore[arg-type]
        )
    ).services


async def _seed(url: str) -> list[str]:
    """Register the users with a post each, and return their access tokens."""
    services = services_for(url)
    await migrations.upgrade(services.database.engines[1])
    callers = [await _register(services, number) for number in range(USERS)]
    async with services.database.engines[1].begin() as connection:
        await connection.execute(insert(Post), [_post(caller) for caller in callers])
    await services.close()
    return [_access_token(services, caller) for caller in callers]


async def _register(services: Services, number: int) -> Caller:
    signed_in = await accounts.register(
        services,
        Device.of("127.0.0.1"),
        username=f"user.{number}",
        email=f"user{number}@example.com",
        password=PASSWORD,
    )
    return signed_in.caller


def _post(author: Caller) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "id": new_id(),
        "author_id": author.user_id,
        "title": "Of the engine",
        "content": "It weaves algebraic patterns. " * 20,
        "created_at": now,
        "updated_at": now,
    }


def _access_token(services: Services, caller: Caller) -> str:
    return services.access_tokens.issue(
        caller, not_after=datetime.now(UTC) + timedelta(days=1)
    ).value
