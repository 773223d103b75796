"""Identity providers, and the accounts at them that a user signs in with."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import providers
from domain.authentication.providers import identities_of


@strawberry.type(description="An identity provider that users can sign in with.")
class Provider:
    name: str = strawberry.field(
        description="Its name in addresses: go to `/sign-in/{name}` to sign in."
    )
    label: str = strawberry.field(description="Its name on buttons.")

    @classmethod
    def of(cls, provider: providers.Provider) -> Self:
        return cls(name=provider.name, label=provider.label)


@strawberry.type(description="An account at an identity provider that you sign in with.")
class Identity:
    id: strawberry.ID = strawberry.field(description="A UUID, as `unlink` takes it.")
    provider: str = strawberry.field(description="The `name` of its provider.")
    email: str | None = strawberry.field(
        description="The email that the provider said at the last sign-in."
    )
    created_at: datetime = strawberry.field(description="When it was linked, in UTC.")
    last_used_at: datetime | None = strawberry.field(
        description="When you last signed in with it, in UTC."
    )

    @classmethod
    def of(cls, identity: models.Identity) -> Self:
        return cls(
            id=strawberry.ID(str(identity.id)),
            provider=identity.provider,
            email=identity.email,
            created_at=identity.created_at,
            last_used_at=identity.last_used_at,
        )


async def identities_of_users(session: AsyncSession, user_ids: list[UUID]) -> list[list[Identity]]:
    found = await identities_of(session, user_ids)
    return [[Identity.of(identity) for identity in found[user_id]] for user_id in user_ids]
