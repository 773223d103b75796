"""Verify an email: its owner proves with a code or a link that they read mail there.

Both work for the account alone that asked for them, while it is signed in. A program that opens the
links of a mail, or another owner of the address, therefore verifies nothing (OWASP ASVS 5, 6.6.2).
"""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import User
from domain import security_events, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.authentication.mail_requests import (
    LIFETIME,
    MailRequest,
    add_proof_mail,
    count_attempt,
    count_request,
)
from domain.devices import Device
from domain.errors import InvalidCode, InvalidInput
from domain.mail import Template
from domain.mail.mailer import Mailer
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import NewTicket, TicketKind

_KIND = TicketKind.EMAIL_VERIFICATION


async def request_email_verification(
    services: Services, device: Device, caller: Caller
) -> MailRequest:
    """Send the caller a code and a link to verify their email.

    Raises InvalidInput if it is verified or does not exist, TooManyAttempts, MailNotConfigured or
    SessionEnded.
    """
    mailer = services.require_mailer()
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True, as_owner=True)
    _require_open(user)
    retry_after = await count_request(services, device, user.email_key)
    new = await _send(services, mailer, caller)
    return MailRequest(new.value, LIFETIME, retry_after)


async def verify_email(services: Services, device: Device, caller: Caller, *, code: str) -> User:
    """Verify the caller's email with the code of the newest mail, or with the token of a link.
    Attempts are counted as `count_attempt` says.

    Raises InvalidCode, TooManyAttempts, MailNotConfigured or SessionEnded.
    """
    mailer = services.require_mailer()
    await count_attempt(services, caller, _KIND)
    user = await _verify(services, mailer, device, caller, code)
    # After the commit, which counts the wrong attempt.
    if user is None:
        raise InvalidCode("code")
    return user


def add_mail(session: AsyncSession, mailer: Mailer, user: User) -> NewTicket:
    """Add a ticket and its mail to the transaction. The user's row must be locked by it, or new."""
    new = tickets.create(session, _KIND, lifetime=LIFETIME, user_id=user.id)
    add_proof_mail(session, mailer, Template.VERIFY_EMAIL, user, new)
    return new


def _require_open(user: User) -> None:
    if user.email_verified_at is not None:
        raise InvalidInput("Your email is already verified.")
    if user.email_undeliverable_at is not None:
        raise InvalidInput("There is no such mailbox. Change your email.")


@retried
async def _send(services: Services, mailer: Mailer, caller: Caller) -> NewTicket:
    async with services.database.writing() as session:
        # A change of the email waits, and then discards the ticket.
        user = await sessions.require_active(
            session, caller, lock="to change", with_secrets=True, as_owner=True
        )
        _require_open(user)
        return add_mail(session, mailer, user)


@retried
async def _verify(
    services: Services, mailer: Mailer, device: Device, caller: Caller, code: str
) -> User | None:
    """Use the ticket, or count a wrong attempt and return None."""
    async with services.database.writing() as session:
        user = await sessions.require_active(
            session, caller, lock="to change", with_secrets=True, as_owner=True
        )
        if await tickets.use_own(session, mailer.keys, _KIND, user.id, code) is None:
            return None
        user.email_verified_at = datetime.now(UTC)
        # The other mails that were sent for this.
        await tickets.discard(session, user.id, [_KIND])
        security_events.record(
            session,
            EventKind.EMAIL_VERIFIED,
            device,
            user_id=user.id,
            session_id=caller.session_id,
        )
    return user
