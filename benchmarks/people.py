"""A database of people who have really registered, and a token for each."""

import asyncio
from datetime import UTC, datetime, timedelta

from api.app import create_services
from db import migrations
from domain import accounts
from domain.clients import Client
from settings import Settings


def register(settings: Settings, number: int) -> list[str]:
    return asyncio.run(_register(settings, number))


async def _register(settings: Settings, number: int) -> list[str]:
    services = create_services(settings)
    await migrations.upgrade(services.engine)
    tokens = []
    for n in range(number):
        signed_in = await accounts.register(
            services.gate,
            Client.of(f"10.0.{n // 250}.{n % 250}"),
            username=f"person.{n}",
            email=f"person{n}@example.com",
            password="analytical engine",
        )
        in_a_day = datetime.now(UTC) + timedelta(days=1)
        tokens.append(services.tokens.issue(signed_in.caller, not_after=in_a_day).value)
    await services.close()
    return tokens
