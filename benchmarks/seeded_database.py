"""Two databases, one of each kind, of people who have really registered and have a post each."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from api.services import create_app_state
from benchmarks.servers import PORT, SECRET
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

PEOPLE = 500
PASSWORD = "analytical engine"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Town:
    """A database by its kind, and a token of each of its people, who are called ``person.0`` and so on."""

    kind: str
    url: str
    tokens: Sequence[str]

    def all_ask(self, body: str) -> list[Request]:
        return [Request(body, token) for token in self.tokens]


@contextmanager
def towns() -> Iterator[Sequence[Town]]:
    with empty_databases() as urls:
        yield [Town(kind, url, asyncio.run(_settle(url))) for kind, url in urls.items()]


@contextmanager
def empty_databases() -> Iterator[dict[str, str]]:
    """Their URLs, by their kinds."""
    with databases.empty_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        yield {SQLITE: f"sqlite:///{folder}/gatehouse.db", POSTGRESQL: postgres}


def services_of(url: str, **settings: object) -> Services:
    return create_app_state(
        Settings(
            secret_key=SECRET,  # type: ignore[arg-type]
            database_url=url,  # type: ignore[arg-type]
            port=PORT,  # which the issuer of a token names
            register_limit_per_network="100000/second",
            access_token_expire_minutes=24 * 60,  # later than the measuring ends
            **settings,  # type: ignore[arg-type]
        )
    ).services


async def _settle(url: str) -> list[str]:
    services = services_of(url)
    await migrations.upgrade(services.database.engines[1])
    callers = [await _register(services, number) for number in range(PEOPLE)]
    async with services.database.engines[1].begin() as connection:
        await connection.execute(insert(Post), [_post(caller) for caller in callers])
    await services.close()
    return [token(services, caller) for caller in callers]


async def _register(services: Services, number: int) -> Caller:
    signed_in = await accounts.register(
        services,
        Device.of("127.0.0.1"),
        username=f"person.{number}",
        email=f"person{number}@example.com",
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


def token(services: Services, caller: Caller) -> str:
    return services.access_tokens.issue(
        caller, not_after=datetime.now(UTC) + timedelta(days=1)
    ).value
