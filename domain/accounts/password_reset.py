"""Reset a forgotten password by mail (OWASP Forgot Password Cheat Sheet)."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.database import retried
from db.models import Ticket, User
from domain import emails, passwords, security_events, sessions, tickets
from domain.accounts.users import INVALID_EMAIL
from domain.authentication.mail_requests import LIFETIME, MailRequest, add_proof_mail, count_request
from domain.devices import Device
from domain.errors import InvalidCode, raise_invalid
from domain.mail import Template
from domain.mail.mailer import RECIPIENT, Mailer
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import NewTicket, TicketKind


async def request_password_reset(services: Services, device: Device, *, email: str) -> MailRequest:
    """Send a link to reset the password to the user with this email.

    Whether there is one shows neither in the answer nor in its time: the transaction is the same.
    The mail goes to the address as it is stored, and not as it was typed.

    Raises InvalidInput, TooManyAttempts or MailNotConfigured.
    """
    mailer = services.require_mailer()
    key = emails.key(email)
    if key is None or "@" not in key.strip("@"):
        raise_invalid(email=[INVALID_EMAIL])
    assert key is not None
    retry_after = await count_request(services, device, key)
    new = await _add_ticket(services, mailer, device, key)
    return MailRequest(new.value, LIFETIME, retry_after)


async def reset_password(
    services: Services, device: Device, *, token: str, new_password: str
) -> int:
    """Replace the password of the user who was sent this token, end all their sessions, and return
    how many ended. The user signs in afterwards, like everyone.

    A token works once. An invalid password does not use it.

    Raises InvalidCode, InvalidInput, TooManyAttempts, Overloaded or MailNotConfigured.
    """
    mailer = services.require_mailer()
    async with services.database.reading() as session:
        ticket = await tickets.find(session, mailer.keys, TicketKind.PASSWORD_RESET, token)
        user = await _user_of(session, ticket)
    if user is None:
        raise InvalidCode("token")
    raise_invalid(
        new_password=passwords.problems(new_password, username=user.username, email=user.email)
    )
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
        new_hash = await hasher.hash(new_password)
    return await _replace(services, mailer, device, user.id, token, new_hash)


def add_mail(session: AsyncSession, mailer: Mailer, user: User | None, email_key: str) -> NewTicket:
    """Add a ticket and its mail to the transaction. The user's row must be locked by it."""
    new = tickets.create(
        session,
        TicketKind.PASSWORD_RESET,
        lifetime=LIFETIME,
        user_id=user.id if user else None,
        state={"email_key": email_key},
    )
    add_proof_mail(session, mailer, Template.RESET_PASSWORD, user, new)
    return new


@retried
async def _add_ticket(services: Services, mailer: Mailer, device: Device, key: str) -> NewTicket:
    async with services.database.writing() as session:
        # Kept until the commit: the ticket refers to it.
        statement = select(User).where(User.email_key == key).options(*RECIPIENT)
        user = await session.scalar(statement.with_for_update(read=True, key_share=True))
        new = add_mail(session, mailer, user, key)
        security_events.record(
            session, EventKind.PASSWORD_RESET_REQUESTED, device, user_id=user.id if user else None
        )
    return new


@retried
async def _replace(
    services: Services, mailer: Mailer, device: Device, user_id: UUID, token: str, new_hash: str
) -> int:
    async with services.database.writing() as session:
        # The user first, as all commands do: tickets may be deleted under this lock.
        await session.execute(
            select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        )
        ticket = await tickets.use_token(session, mailer.keys, TicketKind.PASSWORD_RESET, token)
        user = await _user_of(session, ticket)
        if user is None:
            raise InvalidCode("token")
        user.password_hash = new_hash
        # Who has not proven to own the address until now may have made the account for the owner to
        # use: of what came before, nothing gives access any more.
        user.email_verified_at = datetime.now(UTC)
        user.email_undeliverable_at = None
        await tickets.discard(session, user.id, list(TicketKind))
        security_events.record(session, EventKind.PASSWORD_RESET, device, user_id=user.id)
        await notify(session, services, device, Template.PASSWORD_CHANGED, user)
        return await sessions.end_all_of(session, user)


async def _user_of(session: AsyncSession, ticket: Ticket | None) -> User | None:
    """Return the user of a ticket, unless they have changed their email since it was sent."""
    if ticket is None:
        return None
    user: User | None = await session.scalar(
        select(User)
        .where(User.id == ticket.user_id, User.email_key == ticket.state["email_key"])
        .options(undefer(User.password_hash), undefer(User.email_verified_at), *RECIPIENT)
    )
    return user
