"""The identities of users: link, unlink, list."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.errors import violated_constraint
from db.models import Identity, User
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.providers.codes import WRONG_CODE, FoundCode, find_code, use
from domain.authentication.providers.flow import start_flow
from domain.authentication.reauthentication import lock_proved, prove
from domain.authentication.ways_in import require_another_way_in
from domain.devices import Device
from domain.errors import InvalidCode, InvalidInput, NotFound, QuotaExceeded
from domain.ids import new_id
from domain.mail.templates import Template
from domain.providers import Profile
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services

MAX_IDENTITIES = 20

TOO_MANY = f"An account can have {MAX_IDENTITIES} accounts of providers."

LINKED_TO_ANOTHER = "This account of the provider is linked to another user."


async def identities_of(
    session: AsyncSession, user_ids: Collection[UUID]
) -> dict[UUID, list[Identity]]:
    """Return the identities of users, the oldest first, by the user's id."""
    rows = await session.scalars(
        select(Identity).where(Identity.user_id.in_(user_ids)).order_by(Identity.id)
    )
    found: dict[UUID, list[Identity]] = {user_id: [] for user_id in user_ids}
    for identity in rows:
        found[identity.user_id].append(identity)
    return found


async def find_identity(session: AsyncSession, profile: Profile) -> Identity | None:
    """Return the identity of what a provider said, of any user."""
    identity: Identity | None = await session.scalar(
        select(Identity).where(
            Identity.issuer == profile.issuer, Identity.subject == profile.subject
        )
    )
    return identity


async def link(
    session: AsyncSession, services: Services, device: Device, user: User, found: FoundCode
) -> Identity:
    """Add an identity to a user whose row is locked by the transaction, and tell them by mail.

    Raises QuotaExceeded. The database raises IntegrityError if another user has it.
    """
    number = await session.scalar(
        select(func.count()).select_from(Identity).where(Identity.user_id == user.id)
    )
    if (number or 0) >= MAX_IDENTITIES:
        raise QuotaExceeded(TOO_MANY)
    identity = new_identity(user.id, found)
    session.add(identity)
    await session.flush()
    security_events.record(session, EventKind.IDENTITY_LINKED, device, user_id=user.id)
    await notify(
        session,
        services,
        device,
        Template.IDENTITY_LINKED,
        user,
        added=identity.id,
        values={"provider": label_of(services, found.provider)},
    )
    return identity


def new_identity(user_id: UUID, found: FoundCode) -> Identity:
    now = datetime.now(UTC)
    return Identity(
        id=new_id(),
        user_id=user_id,
        issuer=found.profile.issuer,
        subject=found.profile.subject,
        provider=found.provider,
        email=found.profile.email,
        created_at=now,
        last_used_at=now,
    )


def label_of(services: Services, name: str) -> str:
    """Return what users know a provider by, also after it has left the settings."""
    provider = services.providers.get(name)
    return provider.label if provider else name


async def start_linking(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    provider: str,
    redirect_to: str,
    code_challenge: str,
) -> str:
    """Return the state of a flow that links an identity to the caller.

    Raises ReauthenticationRequired, NotFound, InvalidInput, TooManyAttempts or SessionEnded.
    """
    await prove(services, device, caller)
    return await start_flow(
        services,
        device,
        provider=provider,
        redirect_to=redirect_to,
        code_challenge=code_challenge,
        linked_to=(caller.user_id, caller.session_id),
    )


async def finish_linking(
    services: Services, device: Device, caller: Caller, *, code: str, code_verifier: str
) -> Identity:
    """Link the identity of a code to the caller, in the session that has begun it. Linking one
    again that they have returns it.

    Raises InvalidCode, InvalidInput if another user has it, QuotaExceeded, TooManyAttempts or
    SessionEnded.
    """
    found = await find_code(services, device, code=code, code_verifier=code_verifier)
    if found.linked_to != (caller.user_id, caller.session_id):
        raise InvalidCode("code", WRONG_CODE)
    try:
        return await _finish_linking(services, device, caller, found)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_identities_issuer":
            raise
        raise InvalidInput(fields={"code": [LINKED_TO_ANOTHER]}) from None


@retried
async def _finish_linking(
    services: Services, device: Device, caller: Caller, found: FoundCode
) -> Identity:
    async with services.database.writing() as session:
        user, _ = await sessions.lock_active(session, caller)
        await use(session, found)
        identity = await find_identity(session, found.profile)
        if identity is not None and identity.user_id != user.id:
            raise InvalidInput(fields={"code": [LINKED_TO_ANOTHER]})
        return identity or await link(session, services, device, user, found)


@retried
async def unlink(services: Services, device: Device, caller: Caller, id: UUID) -> UUID:
    """Remove one of the caller's identities.

    Raises ReauthenticationRequired, NotFound, InvalidInput if nothing else would be left to sign in
    with, or SessionEnded.
    """
    proof = await prove(services, device, caller)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        identity = await session.get(Identity, id)
        if identity is None or identity.user_id != user.id:
            raise NotFound("Your account has no such account of a provider.")
        await session.delete(identity)
        await session.flush()
        await require_another_way_in(session, services, user)
        security_events.record_in(session, EventKind.IDENTITY_UNLINKED, device, current)
        values = {"provider": label_of(services, identity.provider)}
        await notify(session, services, device, Template.IDENTITY_UNLINKED, user, values=values)
    return id


async def remove_identities(session: AsyncSession, user_id: UUID) -> None:
    """Remove all identities of a user."""
    await session.execute(
        delete(Identity)
        .where(Identity.user_id == user_id)
        .execution_options(synchronize_session=False)
    )
