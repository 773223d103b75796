"""Invite people by mail to create an account."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from db.database import retried
from db.models import User
from domain import emails, security_events, tickets
from domain.access_tokens.tokens import Caller
from domain.accounts import invitations
from domain.accounts.users import email_problems
from domain.admin.changing import require_permission
from domain.devices import Device
from domain.emails import Address
from domain.errors import EmailTaken, raise_invalid
from domain.mail import Template
from domain.mail.languages import preferred_language
from domain.mail.mailer import Mailer, Recipient
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import TicketKind


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was sent. It ends earlier when it is used, replaced or revoked."""

    expires_at: datetime


async def invite(
    services: Services, device: Device, actor: Caller | Operator, *, email: str
) -> Invitation:
    """Send an invitation, which replaces earlier ones for this address.

    Raises MailNotConfigured, RegistrationClosed, InvalidInput, EmailTaken, TooManyAttempts and what
    `require_permission` raises.
    """
    mailer = services.require_mailer()
    # Read first: those who may not must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        await require_permission(session, services, actor, Permission.INVITE)
    invitations.require_open(services, invited=True)
    address = _parse(services, email)
    await _count(services, actor, address)
    return await _send(services, mailer, device, actor, address)


async def revoke_invitation(services: Services, actor: Caller | Operator, *, email: str) -> bool:
    """End the invitation of an address, and return whether there was one.

    Raises InvalidInput and what `require_permission` raises.
    """
    async with services.database.reading() as session:
        await require_permission(session, services, actor, Permission.INVITE)
    address = emails.parse(email)
    raise_invalid(email=[] if address else [emails.INVALID_EMAIL])
    assert address is not None
    return await _revoke(services, actor, address)


def _parse(services: Services, email: str) -> Address:
    address = emails.parse(email)
    raise_invalid(email=email_problems(services, address))
    assert address is not None
    return address


async def _count(services: Services, actor: Caller | Operator, address: Address) -> None:
    """Count an invitation as something that its user writes, and as a mail to the address."""
    limiter = services.rate_limiter
    if not isinstance(actor, Operator):
        await limiter.hit(limiter.limits.write, str(actor.user_id))
    await limiter.hit(limiter.limits.mail_address, address.key)


@retried
async def _send(
    services: Services,
    mailer: Mailer,
    device: Device,
    actor: Caller | Operator,
    address: Address,
) -> Invitation:
    async with services.database.writing() as session:
        await require_permission(session, services, actor, Permission.INVITE)
        # Only to say so early: the registration judges whether the address is taken.
        holder = await session.scalar(select(User.id).where(User.email_key == address.key))
        if holder is not None:
            raise EmailTaken
        await invitations.end(session, address)
        new = tickets.create(
            session,
            TicketKind.INVITATION,
            lifetime=invitations.LIFETIME,
            state={"email": address.text, "email_key": address.key},
        )
        mailer.add(
            session,
            Template.INVITATION,
            Recipient(address.text, preferred_language(device.accept_language)),
            lifetime=invitations.LIFETIME,
            ticket=tickets.reference(new.ticket),
            values={
                "email": address.text,
                "expires_in": int(invitations.LIFETIME.total_seconds()),
            },
        )
        if not isinstance(actor, Operator):
            security_events.record(
                session,
                EventKind.INVITATION_SENT,
                device,
                user_id=actor.user_id,
                session_id=actor.session_id,
            )
    return Invitation(new.ticket.expires_at)


@retried
async def _revoke(services: Services, actor: Caller | Operator, address: Address) -> bool:
    async with services.database.writing() as session:
        await require_permission(session, services, actor, Permission.INVITE)
        return bool(await invitations.end(session, address))
