"""Add a passkey to an account."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.errors import violated_constraint
from db.models import Passkey, Ticket, User
from domain import security_events, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.authentication.passkeys import ceremonies, challenges
from domain.authentication.passkeys.answers import wrong_passkey
from domain.authentication.passkeys.ceremonies import NewCredential
from domain.authentication.passkeys.challenges import PasskeyRequest
from domain.authentication.passkeys.own import MAX_PASSKEYS, name_problems, passkeys_of
from domain.authentication.reauthentication import lock_proved, prove, require_verified_email
from domain.devices import Device
from domain.errors import QuotaExceeded, raise_invalid
from domain.ids import new_id
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import TicketKind

_KIND = TicketKind.PASSKEY_SETUP

TOO_MANY = f"An account may have {MAX_PASSKEYS} passkeys. Remove one first."

# WebAuthn Level 3, section 14.6.1: random, and nothing of the account.
_HANDLE_BYTES = 32


@retried
async def start_passkey(services: Services, device: Device, caller: Caller) -> PasskeyRequest:
    """Return what the caller's browser needs to make a passkey. `finish_passkey` adds it, in the
    same session.

    Raises ReauthenticationRequired, EmailNotVerified, QuotaExceeded, TooManyAttempts, NotConfigured
    or SessionEnded.
    """
    party = services.require_relying_party()
    await services.rate_limiter.hit(services.rate_limiter.limits.ticket, device.network)
    proof = await prove(services, device, caller)
    require_verified_email(services, proof.user)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        existing = await _require_room(session, user)
        handle = await _handle_of(session, user)
        ticket, challenge = challenges.create(
            session, _KIND, user_id=user.id, state={"session_id": str(current.id)}
        )
    options = ceremonies.creation_options(
        party,
        service_name=services.service_name,
        name=user.email if user.email_verified_at else user.username,
        display_name=user.username,
        handle=handle,
        challenge=challenge,
        existing=existing,
    )
    return PasskeyRequest(ticket, options)


async def finish_passkey(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    ticket: str,
    credential: object,
    name: str | None = None,
) -> Passkey:
    """Add the passkey that the caller's browser has made. Without a name, it gets that of the
    device.

    Raises InvalidCode, whatever is wrong with the ticket or the passkey, and also if an account has
    the passkey; InvalidInput, QuotaExceeded, NotConfigured or SessionEnded.
    """
    party = services.require_relying_party()
    raise_invalid(name=[] if name is None else name_problems(name))
    # Read first: made-up tickets must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
        found = await tickets.find_kept(session, _KIND, ticket)
    # A session has one user.
    if found is None or found.state["session_id"] != str(caller.session_id):
        raise wrong_passkey()
    new = ceremonies.verify_creation(party, challenges.challenge_of(found), credential)
    passkey = await _add(services, device, caller, found, new, name or device.name or "Passkey")
    # After the commit, which counts the wrong attempt.
    if passkey is None:
        raise wrong_passkey()
    return passkey


@retried
async def _add(
    services: Services,
    device: Device,
    caller: Caller,
    ticket: Ticket,
    new: NewCredential | None,
    name: str,
) -> Passkey | None:
    """Use the ticket and add the passkey, or count a wrong attempt and return None."""
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        used = await tickets.use(session, ticket, is_right=new is not None)
        if used is None or new is None:
            return None
        await _require_room(session, user)
        passkey = _passkey(user.id, new, name)
        if not await _insert(session, passkey):
            return None
        security_events.record_in(session, EventKind.PASSKEY_ADDED, device, current)
        await notify(
            session,
            services,
            device,
            Template.PASSKEY_ADDED,
            user,
            added=passkey.id,
            values={"passkey": name},
        )
    return passkey


async def _require_room(session: AsyncSession, user: User) -> list[Passkey]:
    """Return the passkeys of a user, whose row must be locked by the transaction. Raises
    QuotaExceeded."""
    existing = (await passkeys_of(session, [user.id]))[user.id]
    if len(existing) >= MAX_PASSKEYS:
        raise QuotaExceeded(TOO_MANY)
    return existing


async def _handle_of(session: AsyncSession, user: User) -> bytes:
    """Return what passkeys know the user by, which is made with the first."""
    handle: bytes | None = await session.scalar(
        select(User.webauthn_handle).where(User.id == user.id)
    )
    if handle is None:
        handle = user.webauthn_handle = secrets.token_bytes(_HANDLE_BYTES)
    return handle


def _passkey(user_id: UUID, new: NewCredential, name: str) -> Passkey:
    return Passkey(
        id=new_id(),
        user_id=user_id,
        credential_id=new.id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        backup_eligible=new.backup_eligible,
        backed_up=new.backed_up,
        transports=new.transports,
        aaguid=new.aaguid,
        name=name,
        created_at=datetime.now(UTC),
        last_used_at=None,
    )


async def _insert(session: AsyncSession, passkey: Passkey) -> bool:
    """Return whether no account has the passkey yet. The transaction continues in both cases."""
    try:
        async with session.begin_nested():
            session.add(passkey)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_passkeys_credential_id":
            raise
        return False
    return True
