"""Databases with users who have registered through the domain and have a post each."""

import asyncio
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from api.services import create_app_state
from benchmarks.placements import POSTGRES_CORES, SQLITE
from benchmarks.postgres import pinned_postgres
from benchmarks.servers import PUBLIC_URL, SECRET_KEY
from benchmarks.wrk import Request
from db.models import Post
from domain import accounts
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.ids import new_id
from domain.services import Services
from settings import Settings
from soak.postgres import Postgres
from tests.databases import migrate

USERS = 200
PASSWORD = "analytical engine"


@dataclass(frozen=True)
class SeededDatabase:
    """``kind`` is one of `placements.KINDS`. ``tokens`` has an access token for each of its users.

    The users are called ``user.0``, ``user.1`` and so on.
    """

    kind: str
    url: str
    postgres: Postgres | None
    tokens: Sequence[str]

    def requests(self, body: str) -> list[Request]:
        """Return the same request from each user."""
        return [Request(body, token) for token in self.tokens]


Databases = Mapping[str, SeededDatabase]


@contextmanager
def seeded_databases(kinds: Collection[str]) -> Iterator[Databases]:
    """Yield a database of each kind."""
    with ExitStack() as stack:
        seeded = {}
        for kind in kinds:
            url, postgres = stack.enter_context(empty_database(kind))
            seeded[kind] = SeededDatabase(kind, url, postgres, asyncio.run(_seed(url)))
        yield seeded


@contextmanager
def empty_database(kind: str) -> Iterator[tuple[str, Postgres | None]]:
    """Yield the URL of a new database with tables, and its server."""
    if kind == SQLITE:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/gatehouse.db"
            migrate(url)
            yield url, None
    else:
        with pinned_postgres(POSTGRES_CORES[kind]) as postgres, postgres.database() as url:
            yield url, postgres


def services_for(url: str, **settings: object) -> Services:
    return create_app_state(
        Settings(
            secret_key=SECRET_KEY,  # type: ignore[arg-type]
            database_url=url,  # type: ignore[arg-type]
            public_url=PUBLIC_URL,  # the issuer of the tokens
            register_limit_per_network="100000/second",
            access_token_expire_minutes=24 * 60,  # longer than a run
            **settings,  # type: ignore[arg-type]
        )
    ).services


async def _seed(url: str) -> list[str]:
    """Register the users with a post each, and return their access tokens."""
    services = services_for(url)
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
