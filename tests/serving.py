"""Applications with different settings on one database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.app import create_app
from tests.conftest import client_of, settings_for
from tests.users import GraphQL


@asynccontextmanager
async def served(database_url: str, **settings: Any) -> AsyncIterator[GraphQL]:
    """Serve a database with these settings, and yield a client."""
    app = create_app(settings_for(database_url, **settings))
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield GraphQL(client)
