"""Make a link to reset a password, for the operator of a server that sends no mail."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from db.database import retried
from domain import tickets
from domain.admin.changing import changing
from domain.devices import Device
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import TicketKind

# Longer than that of a mail: the operator passes it on by hand.
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ResetLink:
    """The ``token`` of a link, which works once."""

    token: str = field(repr=False)
    expires_at: datetime


@retried
async def make_reset_link(
    services: Services, device: Device, actor: Operator, account_id: UUID
) -> ResetLink:
    """Make the token of a link with which the password of an account is reset.

    Only the operator can: an administrator who had the link could sign in as the owner. It does not
    prove that the owner reads mail at the email of the account.

    Raises NotConfigured without a data key, and NotFound.
    """
    keys = services.require_data_keys()
    permission, kind = Permission.REQUIRE_PASSWORD_RESETS, TicketKind.PASSWORD_RESET
    async with changing(services, device, actor, permission, account_id) as change:
        state = {"email_key": change.user.email_key, "is_mailed": False}
        new = tickets.create(
            change.session, kind, lifetime=LIFETIME, user_id=account_id, state=state
        )
        change.record(EventKind.PASSWORD_RESET_REQUESTED, device)
        return ResetLink(tickets.token(keys, kind, new.ticket.id), new.ticket.expires_at)
