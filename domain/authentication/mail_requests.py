"""Requests for a mail that proves who reads it."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import tickets
from domain.devices import Device
from domain.mail.mailer import Mailer, Recipient
from domain.mail.templates import Template
from domain.services import Services
from domain.tickets import NewTicket

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


async def count_request(services: Services, device: Device, email_key: str) -> int:
    """Count a request for a mail, whether an account has the address or not. Return the seconds
    until the next one for this address is allowed. Raises TooManyAttempts."""
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.mail_network, device.network)
    await limiter.hit(limiter.limits.mail_address, email_key)
    return await limiter.wait(limiter.limits.mail_address, email_key)


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
