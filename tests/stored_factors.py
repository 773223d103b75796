"""Authenticator apps and passkeys of users, for tests that do not sign in with them."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

import pyotp

from db.models import Passkey
from domain.authentication.totp import confirm_totp, start_totp
from domain.ids import new_id
from domain.services import Services
from tests.users import THIS_DEVICE, RegisteredUser


async def set_up_app(services: Services, user: RegisteredUser) -> list[str]:
    """Set up an authenticator app, and return the recovery codes."""
    caller = services.access_tokens.read(user.token).caller
    setup = await start_totp(services, THIS_DEVICE, caller)
    return await confirm_totp(services, THIS_DEVICE, caller, code=pyotp.TOTP(setup.secret).now())


async def store_passkey(services: Services, user: RegisteredUser) -> None:
    """Store a passkey that no authenticator has."""
    async with services.database.writing() as session:
        session.add(
            Passkey(
                id=new_id(),
                user_id=UUID(user.id),
                credential_id=secrets.token_bytes(16),
                public_key=b"",
                sign_count=0,
                backup_eligible=False,
                backed_up=False,
                transports=[],
                aaguid=UUID(int=0),
                name="Work laptop",
                created_at=datetime.now(UTC),
            )
        )
