"""Passkeys, for their owner, and what a browser needs to make and use them."""

from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.scalars import JSON

from db import models
from domain import authentication


async def passkeys_of(session: AsyncSession, user_ids: list[UUID]) -> list[list["Passkey"]]:
    found = await authentication.passkeys_of(session, user_ids)
    return [[Passkey.of(passkey) for passkey in found[user_id]] for user_id in user_ids]


async def accepted_passkeys_of(
    session: AsyncSession, user_ids: list[UUID]
) -> list[authentication.AcceptedPasskeys | None]:
    found = await authentication.accepted_passkeys_of(session, user_ids)
    return [found.get(user_id) for user_id in user_ids]


def for_browsers(accepted: authentication.AcceptedPasskeys, relying_party_id: str) -> JSON:
    """Return passkeys as `PublicKeyCredential.signalAllAcceptedCredentials` takes them."""
    return JSON(
        {
            "rpId": relying_party_id,
            "userId": _base64url(accepted.handle),
            "allAcceptedCredentialIds": [_base64url(id) for id in accepted.credential_ids],
        }
    )


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


@strawberry.type(
    description="A passkey of a user. It is kept by a device or a password manager, and signs in without a password."
)
class Passkey:
    id: strawberry.ID = strawberry.field(description="A UUID, as `removePasskey` takes it.")
    name: str = strawberry.field(
        description="The name that the user gave it, or that of the device it was added with."
    )
    is_synced: bool = strawberry.field(
        description="Whether it is on other devices too, by a password manager. It is lost with its device otherwise."
    )
    created_at: datetime = strawberry.field(description="When it was added, in UTC.")
    last_used_at: datetime | None = strawberry.field(
        description="When it last signed in, in UTC. Null before the first time."
    )

    @classmethod
    def of(cls, passkey: models.Passkey) -> Self:
        return cls(
            id=strawberry.ID(str(passkey.id)),
            name=passkey.name,
            is_synced=passkey.backed_up,
            created_at=passkey.created_at,
            last_used_at=passkey.last_used_at,
        )


@strawberry.type(description="What a page gives to its browser to make or to use a passkey.")
class PasskeyRequest:
    ticket: str = strawberry.field(
        description="Send it back with the answer of the browser. It works once, for five minutes."
    )
    options: JSON = strawberry.field(
        description="What `PublicKeyCredential.parseCreationOptionsFromJSON` takes, for `startPasskey`, or"
        " `parseRequestOptionsFromJSON`."
    )

    @classmethod
    def of(cls, request: authentication.PasskeyRequest) -> Self:
        return cls(ticket=request.ticket, options=JSON(request.options))

    # A repr could put the ticket into a log.
    __repr__ = object.__repr__


@strawberry.input(description="The answer of a browser to a PasskeyRequest.")
class PasskeyAnswer:
    ticket: str = strawberry.field(description="The `ticket` of the PasskeyRequest.")
    credential: JSON = strawberry.field(
        description="What `toJSON()` gives of the credential, as an object."
    )

    # A repr could put the ticket into a log.
    __repr__ = object.__repr__
