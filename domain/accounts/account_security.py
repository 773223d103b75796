"""Secure an account: what the link in a security notice does for an owner who did not do what the
notice reports (NIST SP 800-63B-4 section 4.6)."""

from uuid import UUID

from db.database import retried
from domain import security_events, sessions, tickets
from domain.authentication.factors import deniable, remove_denied
from domain.authentication.lock import lock_user
from domain.authentication.mail_requests import add_proof
from domain.devices import Device
from domain.errors import InvalidCode
from domain.mail.mailer import Mailer
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import TicketKind

_KIND = TicketKind.ACCOUNT_SECURITY


async def secure_account(services: Services, device: Device, *, token: str) -> int:
    """End all sessions of the user who was sent this token, remove the factors that recent notices
    have reported as added, send a link to reset the password, and return how many sessions ended.

    A token works once. It gives no access: the link goes to the email of the account.

    Raises InvalidCode, TooManyAttempts or MailNotConfigured.
    """
    mailer = services.require_mailer()
    async with services.database.reading() as session:
        ticket = await tickets.find(session, mailer.keys, _KIND, token)
    if ticket is None or ticket.user_id is None:
        raise InvalidCode("token")
    # Not the limit of the address: anyone who knows an email can use that up.
    await services.rate_limiter.hit(services.rate_limiter.limits.mail_network, device.network)
    return await _secure(services, mailer, device, ticket.user_id, token)


@retried
async def _secure(
    services: Services, mailer: Mailer, device: Device, user_id: UUID, token: str
) -> int:
    async with services.database.writing() as session:
        user = await lock_user(session, user_id)
        # Read before the token is used, whose notice may name a factor.
        added = await deniable(session, user_id)
        if user is None or not await tickets.use_token(session, mailer.keys, _KIND, token):
            raise InvalidCode("token")
        await remove_denied(session, user_id, added)
        kind, template = TicketKind.PASSWORD_RESET, Template.RESET_PASSWORD
        add_proof(session, mailer, kind, template, user, user.email_key)
        security_events.record(session, EventKind.ACCOUNT_SECURED, device, user_id=user.id)
        return await sessions.end_all_of(session, user)
