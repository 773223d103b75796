"""Requests for a mail that proves who reads it."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import User
from domain import emails, security_events, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.emails import INVALID_EMAIL
from domain.errors import InvalidInput
from domain.mail.mailer import RECIPIENT, Mailer, Recipient
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import NewTicket, TicketKind

# OWASP ASVS 5, 6.5.5.
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class MailRequest:
    """The answer to a request, which is the same for an address that no account has.

    ``ticket`` is what the browser keeps. A code of the mail works only together with it.
    ``retry_after`` is the number of seconds until the address may be used again.
    """

    ticket: str = field(repr=False)
    lifetime: timedelta
    retry_after: int


async def request_proof(
    services: Services,
    device: Device,
    *,
    email: str,
    kind: TicketKind,
    template: Template,
    event: EventKind,
) -> MailRequest:
    """Send a mail with a proof to the user with this email.

    Whether there is one shows neither in the answer nor in its time: the transaction is the same.
    The mail goes to the address as it is stored, and not as it was typed.

    Raises InvalidInput, TooManyAttempts or MailNotConfigured.
    """
    mailer = services.require_mailer()
    key = _key(email)
    retry_after = await count_request(services, device, key)
    new = await _add(services, mailer, device, key, kind, template, event)
    return MailRequest(new.value, LIFETIME, retry_after)


async def count_request(services: Services, device: Device, email_key: str) -> int:
    """Count a request for a mail, whether an account has the address or not. Return the seconds
    until the next one for this address is allowed. Raises TooManyAttempts."""
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.mail_network, device.network)
    await limiter.hit(limiter.limits.mail_address, email_key)
    return await limiter.wait(limiter.limits.mail_address, email_key)


async def count_attempt(services: Services, caller: Caller, kind: TicketKind) -> None:
    """Count an attempt to prove something to the caller's account with a code or a token.

    Every attempt counts for the account, whichever ticket it is for, and none is forgiven: a new
    mail gives no more attempts (NIST SP 800-63B-4 section 3.1.3.2).

    Raises TooManyAttempts or SessionEnded.
    """
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.code, kind, str(caller.user_id))


def add_proof(
    session: AsyncSession,
    mailer: Mailer,
    kind: TicketKind,
    template: Template,
    user: User | None,
    email_key: str,
) -> NewTicket:
    """Add a ticket and its mail to the transaction. The user, if any, has the email with this key,
    and their row must be locked by it."""
    user_id, state = (user.id if user else None), {"email_key": email_key}
    new = tickets.create(session, kind, lifetime=LIFETIME, user_id=user_id, state=state)
    add_proof_mail(session, mailer, template, user, new)
    return new


def add_proof_mail(
    session: AsyncSession,
    mailer: Mailer,
    template: Template,
    user: User | Recipient | None,
    new: NewTicket,
) -> None:
    """Add a mail with the token and the code of a ticket of ``LIFETIME`` to the transaction."""
    mailer.add(
        session,
        template,
        user,
        lifetime=LIFETIME,
        ticket=tickets.reference(new.ticket),
        values={"expires_in": int(LIFETIME.total_seconds())},
    )


def _key(email: str) -> str:
    key = emails.key(email)
    if key is None or "@" not in key.strip("@"):
        raise InvalidInput(fields={"email": [INVALID_EMAIL]})
    return key


@retried
async def _add(
    services: Services,
    mailer: Mailer,
    device: Device,
    key: str,
    kind: TicketKind,
    template: Template,
    event: EventKind,
) -> NewTicket:
    async with services.database.writing() as session:
        # Kept until the commit: the ticket refers to it.
        statement = select(User).where(User.email_key == key).options(*RECIPIENT)
        user = await session.scalar(statement.with_for_update(read=True, key_share=True))
        new = add_proof(session, mailer, kind, template, user, key)
        security_events.record(session, event, device, user_id=new.ticket.user_id)
    return new
