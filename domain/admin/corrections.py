"""Correct the username or the email of an account."""

from datetime import UTC, datetime
from uuid import UUID

from db.database import retried
from db.models import User
from domain import emails, events, tickets, usernames
from domain.access_tokens.tokens import Caller
from domain.accounts.users import (
    email_problems,
    set_email,
    set_username,
    unique_violations_as_errors,
)
from domain.admin.changing import Change, changing
from domain.admin.mails import Act, tell
from domain.admin.reasons import require_reason
from domain.devices import Device
from domain.emails import Address
from domain.errors import raise_invalid
from domain.events import EventType
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import TicketKind


@retried
async def correct_account(
    services: Services,
    device: Device,
    actor: Caller | Operator,
    account_id: UUID,
    *,
    reason: str,
    username: str | None = None,
    email: str | None = None,
    email_verified: bool = False,
) -> User:
    """Replace the username, the email or both, and tell the owner by mail, of a new email at both
    addresses. A new email is not verified, unless the actor knows that the owner reads mail there.
    The email of the account stays verified.

    Raises InvalidInput, UsernameTaken, EmailTaken, what `changing`
    raises.
    """
    reason = require_reason(reason)
    address = None if email is None else emails.parse(email)
    raise_invalid(
        username=[] if username is None else usernames.problems(username),
        email=[] if email is None else email_problems(services, address),
    )
    permission = Permission.CORRECT_ACCOUNTS
    async with (
        unique_violations_as_errors(services.database, account_id, username),
        changing(services, device, actor, permission, account_id) as change,
    ):
        if username is not None and username != change.user.username:
            set_username(change.user, username)
            change.record(EventKind.USERNAME_CHANGED, device, detail=reason)
            tell(change.session, services, change.user, Act.USERNAME_CORRECTED, reason=reason)
        if address is not None:
            await _correct_email(services, device, change, address, email_verified, reason)
        return change.user


async def _correct_email(
    services: Services,
    device: Device,
    change: Change,
    address: Address,
    is_verified: bool,
    reason: str,
) -> None:
    session, user = change.session, change.user
    is_new = address.key != user.email_key
    # The same email stays verified: otherwise the next mail to it would remove the password.
    if not is_new and (user.email_verified_at is not None or not is_verified):
        return
    if is_new:
        tell(session, services, user, Act.EMAIL_CORRECTED, reason=reason)
        # Links and codes that were sent to the former address, its undo of a change among them.
        await tickets.discard(session, user.id, list(TicketKind))
    if is_verified and user.email_verified_at is None:
        events.publish(session, EventType.USER_VERIFIED, user_id=user.id, actor_id=change.actor_id)
    set_email(user, address, verified_at=datetime.now(UTC) if is_verified else None)
    change.record(EventKind.EMAIL_CHANGED, device, detail=reason)
    tell(session, services, user, Act.EMAIL_CORRECTED, reason=reason)
