"""Grant and revoke roles."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete

from db.database import retried
from db.models import User, UserRole
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.admin.changing import changing
from domain.admin.reasons import require_reason
from domain.devices import Device
from domain.errors import InvalidInput
from domain.roles import Operator, Permission, Role, require_another_administrator
from domain.security_events import EventKind
from domain.services import Services

EMAIL_NOT_VERIFIED = "The email of this account is not verified. Its owner must verify it first."


@retried
async def grant_role(
    services: Services,
    device: Device,
    actor: Caller | Operator,
    account_id: UUID,
    role: Role,
    *,
    reason: str,
) -> User:
    """Grant a role. An account that has it already stays as it is.

    Raises InvalidInput, also for a disabled account, and for an unverified email unless the
    operator grants it or the server sends no mail; and what `changing` raises.
    """
    reason = require_reason(reason)
    permission = Permission.GRANT_ROLES
    async with changing(services, device, actor, permission, account_id) as change:
        session, user = change.session, change.user
        if user.disabled_at is not None:
            raise InvalidInput("This account is disabled. Enable it first.")
        if role in user.roles:
            return user
        if not isinstance(actor, Operator):
            _require_verified_email(services, user)
        session.add(
            UserRole(
                user_id=user.id,
                role=role,
                granted_by=change.actor_id,
                created_at=datetime.now(UTC),
            )
        )
        # Nobody impersonates an account that has a role.
        await sessions.end_impersonations(session, device, user.id)
        change.record(EventKind.ROLE_GRANTED, device, detail=f"{role}: {reason}")
        return user


@retried
async def revoke_role(
    services: Services,
    device: Device,
    actor: Caller | Operator,
    account_id: UUID,
    role: Role,
    *,
    reason: str,
) -> User:
    """Revoke a role. An account that does not have it stays as it is.

    Raises InvalidInput and what `changing` raises, and Forbidden for the role of the last
    administrator.
    """
    reason = require_reason(reason)
    permission = Permission.GRANT_ROLES
    async with changing(services, device, actor, permission, account_id) as change:
        session, user = change.session, change.user
        if role not in user.roles:
            return user
        if role is Role.ADMIN:
            await require_another_administrator(session, user.id)
        await session.execute(
            delete(UserRole)
            .where(UserRole.user_id == user.id, UserRole.role == role)
            .execution_options(synchronize_session=False)
        )
        await sessions.end_impersonations(session, device, user.id)
        change.record(EventKind.ROLE_REVOKED, device, detail=f"{role}: {reason}")
        return user


def _require_verified_email(services: Services, user: User) -> None:
    """Raise InvalidInput for an email that could be verified and is not: someone else may have made
    the account with the address of a colleague, and would get the role."""
    if services.mailer is not None and user.email_verified_at is None:
        raise InvalidInput(EMAIL_NOT_VERIFIED)
