"""Security notices: mails about what happened to an account, with a link for an owner who did not
do it (NIST SP 800-63B-4 section 4.6, OWASP ASVS 5, 6.3.5 to 6.3.7)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Ticket, User
from domain import tickets
from domain.devices import Device
from domain.mail.mailer import NOTICE_LIFETIME
from domain.mail.templates import Template
from domain.services import Services
from domain.tickets import TicketKind

# While their tickets last.
MAX_UNVERIFIED = 5


def can_notify(services: Services, user: User) -> bool:
    """Return whether the server sends mail and the user's mailbox exists."""
    return services.mailer is not None and user.email_undeliverable_at is None


async def notify(
    session: AsyncSession,
    services: Services,
    device: Device,
    template: Template,
    user: User,
    *,
    added: UUID | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Add a mail to the transaction of what happened, if the server sends mail.

    Every capability that reports something to the owner calls this, with a template of its own. The
    template has the time, the device and the address, what is in ``values``, and a token:
    `page("secure-account", token=token)` leads to `secure_account`. The user's row must be locked
    by the transaction, and loaded with ``RECIPIENT``.

    ``added`` is the id of an authenticator app or a passkey that the owner can deny: the link then
    removes it, and the template has ``removes``.

    An address that is not verified gets only ``MAX_UNVERIFIED``: anyone can register that of
    someone else, and then cause one notice after the other.
    """
    if services.mailer is None or not can_notify(services, user):
        return
    if user.email_verified_at is None and await _number(session, user) >= MAX_UNVERIFIED:
        return
    new = tickets.create(
        session,
        TicketKind.ACCOUNT_SECURITY,
        lifetime=NOTICE_LIFETIME,
        user_id=user.id,
        state={"added": str(added)} if added else {},
    )
    services.mailer.add(
        session,
        template,
        user,
        lifetime=NOTICE_LIFETIME,
        ticket=tickets.reference(new.ticket),
        values={
            "at": datetime.now(UTC).isoformat(),
            "device": device.name,
            "ip": device.ip,
            "expires_in": int(NOTICE_LIFETIME.total_seconds()),
            "removes": added is not None,
            **(values or {}),
        },
    )


async def _number(session: AsyncSession, user: User) -> int:
    """Return how many notices the user has had whose tickets are kept."""
    number: int | None = await session.scalar(
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.user_id == user.id, Ticket.kind == TicketKind.ACCOUNT_SECURITY)
    )
    return number or 0
