"""Access to an account: disable and enable it, end its sessions, require a new password, and remove
lost second factors."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from db.database import retried
from db.models import User
from domain import sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.admin.changing import changing
from domain.admin.mails import Act, tell
from domain.admin.reasons import require_reason
from domain.authentication.factors import Factors, factors_of_one, remove_all
from domain.authentication.mail_requests import add_proof
from domain.devices import Device
from domain.errors import Forbidden, InvalidInput
from domain.mail.templates import Template
from domain.roles import Operator, Permission, require_another_administrator
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import TicketKind

# The links of notices stay, as they do when the owner resets the password.
_TICKETS = tickets.PROOFS - {TicketKind.ACCOUNT_SECURITY}


@retried
async def disable_account(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> User:
    """Disable an account and end all its sessions, so that no token of it works any more (OWASP
    ASVS 5, 7.4.2). The owner is told by mail.

    Raises InvalidInput and what `changing` raises, and Forbidden for the last administrator.
    """
    reason = require_reason(reason)
    async with changing(services, device, actor, Permission.DISABLE_ACCOUNTS, account_id) as change:
        session, user = change.session, change.user
        await require_another_administrator(session, user.id)
        user.disabled_at, user.disabled_reason = user.disabled_at or datetime.now(UTC), reason
        await sessions.end_all_of(session, user, actor_id=change.actor_id)
        change.record(EventKind.DISABLED, device, detail=reason)
        tell(session, services, user, Act.DISABLED, reason=reason)
        return user


@retried
async def enable_account(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> User:
    """Enable a disabled account. The owner is told by mail.

    Raises InvalidInput and what `changing` raises.
    """
    reason = require_reason(reason)
    async with changing(services, device, actor, Permission.DISABLE_ACCOUNTS, account_id) as change:
        user = change.user
        if user.disabled_at is not None:
            user.disabled_at = user.disabled_reason = None
            change.record(EventKind.ENABLED, device, detail=reason)
            tell(change.session, services, user, Act.ENABLED, reason=reason)
        return user


@retried
async def end_sessions_of(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> int:
    """End all sessions of an account and return how many ended (OWASP ASVS 5, 7.4.5).

    Raises InvalidInput and what `changing` raises.
    """
    reason = require_reason(reason)
    async with changing(services, device, actor, Permission.END_SESSIONS, account_id) as change:
        return await sessions.end_and_record_all_of(
            change.session, device, change.user, actor_id=change.actor_id, reason=reason
        )


@retried
async def require_password_reset(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> User:
    """Refuse the password of an account until it has been reset, end all sessions, and send a link
    to reset it. An administrator never chooses a password (OWASP ASVS 5, 6.4.6).

    Raises InvalidInput, also for an account without a password, MailNotConfigured, and what
    `changing` raises.
    """
    reason = require_reason(reason)
    mailer = services.require_mailer()
    permission = Permission.REQUIRE_PASSWORD_RESETS
    async with changing(services, device, actor, permission, account_id) as change:
        session, user = change.session, change.user
        if user.password_hash is None:
            raise InvalidInput("This account has no password.")
        user.must_reset_at = datetime.now(UTC)
        await sessions.end_all_of(session, user, actor_id=change.actor_id)
        # Also what the password alone has begun, such as a sign-in that waits for a second factor.
        await tickets.discard(session, user.id, _TICKETS)
        kind, template = TicketKind.PASSWORD_RESET, Template.PASSWORD_RESET_REQUIRED
        add_proof(session, mailer, kind, template, user, user.email_key)
        change.record(EventKind.PASSWORD_RESET_REQUIRED, device, detail=reason)
        return user


@dataclass(frozen=True, slots=True)
class RemovedFactors:
    """What was removed from an account, and how many sessions ended."""

    user: User
    factors: Factors
    sessions: int


@retried
async def remove_second_factors(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> RemovedFactors:
    """Remove the authenticator app, the recovery codes and all passkeys of an account, end all its
    sessions, and tell the owner by mail. The actor must have verified that the owner asks for it
    (NIST SP 800-63B-4 section 4.2).

    An account that has neither an app nor a passkey stays as it is.

    Raises InvalidInput and what `changing` raises, and Forbidden for the actor's own account.
    """
    reason = require_reason(reason)
    async with changing(
        services, device, actor, Permission.REMOVE_SECOND_FACTORS, account_id
    ) as change:
        session, user = change.session, change.user
        if change.actor_id == user.id:
            raise Forbidden("Remove your own factors with a proof: removeTotp and removePasskey.")
        factors = await factors_of_one(session, user.id)
        if not await remove_all(session, user.id):
            return RemovedFactors(user, factors, 0)
        ended = await sessions.end_all_of(session, user, actor_id=change.actor_id)
        change.record(EventKind.FACTORS_REMOVED, device, detail=reason)
        await notify(session, services, device, Template.FACTORS_REMOVED, user)
        return RemovedFactors(user, factors, ended)
