"""Change an email: its owner proves to read mail at the new address, before anything changes.

The former address gets a link that undoes the change, for someone whose account was taken over
(OWASP ASVS 5, 6.3.6 and 7.5.1).
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import Ticket, User
from domain import emails, security_events, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.accounts.users import email_problems, set_email, unique_violations_as_errors
from domain.authentication.factors import deniable, remove_denied
from domain.authentication.lock import lock_user
from domain.authentication.mail_requests import (
    LIFETIME,
    MailRequest,
    add_proof,
    add_proof_mail,
    count_attempt,
    count_request,
)
from domain.authentication.reauthentication import Proof, lock_proved, prove
from domain.devices import Device
from domain.emails import Address
from domain.errors import InvalidCode, raise_invalid
from domain.mail import Template
from domain.mail.mailer import Mailer, Recipient
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import NewTicket, TicketKind

_KIND = TicketKind.EMAIL_CHANGE

# Long enough to read the mail, and too short for a former address to get another owner.
UNDO_LIFETIME = timedelta(days=1)


async def request_email_change(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    new_email: str,
    current_password: str | None,
) -> MailRequest:
    """Send a code and a link to the address that is to be the caller's email.

    Whether another account has it shows neither in the answer nor in its time. A new request
    replaces the one before.

    Raises InvalidInput, ReauthenticationRequired, InvalidCredentials, TooManyAttempts, Overloaded,
    MailNotConfigured or SessionEnded.
    """
    mailer = services.require_mailer()
    address = emails.parse(new_email)
    raise_invalid(new_email=email_problems(address))
    assert address is not None
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True, as_owner=True)
    if user.email_key == address.key:
        raise_invalid(new_email=["This is your email already."])
    proof = await prove(
        services, device, caller, password=current_password, field="current_password"
    )
    retry_after = await count_request(services, device, address.key)
    new = await _send(services, mailer, caller, proof, address)
    return MailRequest(new.value, LIFETIME, retry_after)


async def confirm_email_change(
    services: Services, device: Device, caller: Caller, *, code: str
) -> User:
    """Change the caller's email to the address of the newest mail, with its code or with the token
    of its link. Attempts are counted as `count_attempt` says.

    Raises InvalidCode, EmailTaken, TooManyAttempts, MailNotConfigured or SessionEnded.
    """
    mailer = services.require_mailer()
    await count_attempt(services, caller, _KIND)
    user = await _confirm(services, mailer, device, caller, code)
    # After the commit, which counts the wrong attempt.
    if user is None:
        raise InvalidCode("code")
    return user


async def undo_email_change(services: Services, device: Device, *, token: str) -> int:
    """Restore the email that was changed when this token was sent to it, end all sessions of the
    user, and return how many ended.

    Someone else knew the password, so it is removed, and the email gets a link to set a new one.

    Raises InvalidCode, EmailTaken, TooManyAttempts or MailNotConfigured. EmailTaken does not use
    the token.
    """
    mailer = services.require_mailer()
    async with services.database.reading() as session:
        kind = TicketKind.EMAIL_CHANGE_UNDO
        ticket = await tickets.find(session, mailer.keys, kind, token)
    if ticket is None or ticket.user_id is None:
        raise InvalidCode("token")
    await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
    return await _undo(services, mailer, device, ticket.user_id, token)


async def pending_emails(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the addresses that users have asked to change their emails to, by the user's id."""
    found = await tickets.usable(session, _KIND, user_ids)
    return {ticket.user_id: ticket.state["email"] for ticket in found if ticket.user_id}


@retried
async def _send(
    services: Services, mailer: Mailer, caller: Caller, proof: Proof, address: Address
) -> NewTicket:
    async with services.database.writing() as session:
        user, _ = await lock_proved(session, services, caller, proof)
        await tickets.discard(session, user.id, [_KIND])
        # Only to save the owner of the address a mail: `_confirm` judges whether it is taken.
        holder = await session.scalar(select(User.id).where(User.email_key == address.key))
        new = tickets.create(
            session,
            _KIND,
            lifetime=LIFETIME,
            user_id=user.id,
            state={"email": address.text, "email_key": address.key},
        )
        recipient = None if holder else Recipient(address.text, user.locale)
        add_proof_mail(session, mailer, Template.CHANGE_EMAIL, recipient, new)
    return new


@retried
async def _confirm(
    services: Services, mailer: Mailer, device: Device, caller: Caller, code: str
) -> User | None:
    """Use the ticket, or count a wrong attempt and return None."""
    async with (
        unique_violations_as_errors(services.database, caller.user_id, None, email_field="code"),
        services.database.writing() as session,
    ):
        user = await sessions.require_active(
            session, caller, lock="to change", with_secrets=True, as_owner=True
        )
        ticket = await tickets.use_own(session, mailer.keys, _KIND, user.id, code)
        if ticket is None:
            return None
        added = await deniable(session, user.id)
        # What was sent to the former address, and other mails for this.
        await tickets.discard(session, user.id, tickets.PROOFS)
        await _add_undo_mail(session, mailer, user, added)
        set_email(user, _address_of(ticket), verified_at=datetime.now(UTC))
        security_events.record(
            session,
            EventKind.EMAIL_CHANGED,
            device,
            user_id=user.id,
            session_id=caller.session_id,
        )
    return user


async def _add_undo_mail(
    session: AsyncSession, mailer: Mailer, user: User, added: Collection[UUID]
) -> None:
    """Add a mail to the email that is about to change. It can deny the same factors as the notices
    that were sent there."""
    kind = TicketKind.EMAIL_CHANGE_UNDO
    verified_at = user.email_verified_at
    older = await tickets.usable(session, kind, [user.id])
    new = tickets.create(
        session,
        kind,
        lifetime=UNDO_LIFETIME,
        user_id=user.id,
        state={
            "email": user.email,
            "email_key": user.email_key,
            "verified_at": verified_at.isoformat() if verified_at else None,
            "older": [str(ticket.id) for ticket in older],
            "added": [str(id) for id in added],
        },
    )
    mailer.add(
        session,
        Template.EMAIL_CHANGED,
        user,
        lifetime=UNDO_LIFETIME,
        ticket=tickets.reference(new.ticket),
        values={
            "at": datetime.now(UTC).isoformat(),
            "expires_in": int(UNDO_LIFETIME.total_seconds()),
        },
    )


@retried
async def _undo(
    services: Services, mailer: Mailer, device: Device, user_id: UUID, token: str
) -> int:
    async with (
        unique_violations_as_errors(services.database, user_id, None, email_field="token"),
        services.database.writing() as session,
    ):
        user = await lock_user(session, user_id)
        kind = TicketKind.EMAIL_CHANGE_UNDO
        ticket = await tickets.use_token(session, mailer.keys, kind, token, user_id=user_id)
        if user is None or ticket is None:
            raise InvalidCode("token")
        address, verified_at = _address_of(ticket), ticket.state["verified_at"]
        set_email(user, address, verified_at=verified_at and datetime.fromisoformat(verified_at))
        user.password_hash = None
        await remove_denied(session, user.id, await _deniable_since(session, ticket, user.id))
        # Of several changes, the undo of an earlier one still works. That of a later one may have
        # been sent to the address that someone else has put in, and would take the account back.
        older = [UUID(id) for id in ticket.state["older"]]
        await tickets.discard(session, user.id, list(TicketKind), keep=older)
        reset, template = TicketKind.PASSWORD_RESET, Template.RESET_PASSWORD
        add_proof(session, mailer, reset, template, user, address.key)
        security_events.record(session, EventKind.EMAIL_CHANGE_UNDONE, device, user_id=user.id)
        return await sessions.end_all_of(session, user)


async def _deniable_since(session: AsyncSession, ticket: Ticket, user_id: UUID) -> list[UUID]:
    """Return the ids of the factors that the undo of a change can deny: those of the notices before
    it, and of all since. Each later change has taken those before it into its own undo."""
    later = [
        other
        for other in await tickets.usable(session, TicketKind.EMAIL_CHANGE_UNDO, [user_id])
        if other.id > ticket.id
    ]
    added = [UUID(id) for one in (ticket, *later) for id in one.state.get("added", ())]
    return [*added, *await deniable(session, user_id)]


def _address_of(ticket: Ticket) -> Address:
    return Address(ticket.state["email"], ticket.state["email_key"])
