"""Reset a forgotten password by mail (OWASP Forgot Password Cheat Sheet)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.database import retried
from db.models import Ticket, User
from domain import passwords, security_events, sessions, tickets
from domain.authentication.mail_requests import MailRequest, request_proof
from domain.authentication.ownership import prove_ownership
from domain.data_keys import DataKeys
from domain.devices import Device
from domain.errors import InvalidCode, raise_invalid
from domain.mail import Template
from domain.mail.mailer import RECIPIENT
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import TicketKind

SAME_PASSWORD = "Choose another password: this one must not be used any more."

# The links of notices stay: they remove factors that an intruder has added, which a new password
# does not.
_TICKETS = tickets.PROOFS - {TicketKind.ACCOUNT_SECURITY}


async def request_password_reset(
    services: Services, device: Device, *, email: str, captcha: str | None = None
) -> MailRequest:
    """Send a link to reset the password to the user with this email, as `request_proof` says.

    Raises InvalidInput, CaptchaRequired, CaptchaUnavailable, TooManyAttempts or MailNotConfigured.
    """
    return await request_proof(
        services,
        device,
        email=email,
        captcha=captcha,
        kind=TicketKind.PASSWORD_RESET,
        template=Template.RESET_PASSWORD,
        event=EventKind.PASSWORD_RESET_REQUESTED,
    )


async def reset_password(
    services: Services, device: Device, *, token: str, new_password: str
) -> int:
    """Replace the password of the user who was given this token, by mail or by the operator, end
    all their sessions, and return how many ended. The user signs in afterwards, like everyone.

    A token works once. An invalid password does not use it.

    Raises InvalidCode, InvalidInput, TooManyAttempts, Overloaded or NotConfigured.
    """
    keys = services.require_data_keys()
    async with services.database.reading() as session:
        ticket = await tickets.find(session, keys, TicketKind.PASSWORD_RESET, token)
        user = await _user_of(session, ticket)
    if user is None:
        raise InvalidCode("token")
    raise_invalid(
        new_password=passwords.problems(new_password, username=user.username, email=user.email)
    )
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
        if user.must_reset_at is not None:
            verification = await hasher.verify(new_password, user.password_hash)
            raise_invalid(new_password=[SAME_PASSWORD] if verification.is_valid else [])
        new_hash = await hasher.hash(new_password)
    await passwords.require_unbreached(
        services.breached_passwords, new_password, field="new_password"
    )
    return await _replace(services, keys, device, user.id, token, new_hash)


@retried
async def _replace(
    services: Services, keys: DataKeys, device: Device, user_id: UUID, token: str, new_hash: str
) -> int:
    async with services.database.writing() as session:
        # The user first, as all commands do: tickets may be deleted under this lock.
        await session.execute(
            select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        )
        ticket = await tickets.use_token(session, keys, TicketKind.PASSWORD_RESET, token)
        user = await _user_of(session, ticket)
        if ticket is None or user is None:
            raise InvalidCode("token")
        ended = await sessions.end_all_of(session, user)
        await tickets.discard(session, user.id, _TICKETS)
        if ticket.state.get("is_mailed", True):
            await prove_ownership(session, device, user)
        user.password_hash = new_hash
        user.must_reset_at = None
        security_events.record(session, EventKind.PASSWORD_RESET, device, user_id=user.id)
        await notify(session, services, device, Template.PASSWORD_CHANGED, user)
        return ended


async def _user_of(session: AsyncSession, ticket: Ticket | None) -> User | None:
    """Return the user of a ticket, unless they have changed their email since it was sent."""
    if ticket is None:
        return None
    user: User | None = await session.scalar(
        select(User)
        .where(User.id == ticket.user_id, User.email_key == ticket.state["email_key"])
        .options(undefer(User.password_hash), undefer(User.must_reset_at), *RECIPIENT)
    )
    return user
