"""Act in place of a user, to see what they see."""

from uuid import UUID

from db.database import retried
from db.models import LoginSession
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.admin.changing import changing
from domain.admin.mails import Act, tell
from domain.admin.reasons import require_reason
from domain.devices import Device
from domain.errors import Forbidden, InvalidInput, SessionEnded
from domain.roles import Permission
from domain.services import Services
from domain.sessions import SignedIn


@retried
async def impersonate(
    services: Services, device: Device, actor: Caller, account_id: UUID, *, reason: str
) -> SignedIn:
    """Start a session in which the caller acts in place of a user. It lasts thirty minutes, can
    change nothing about the account, and ends with the caller's role, with their account, and when
    they end all their sessions. It is on record for both, and the owner is told by mail.

    Raises what `changing` raises, InvalidInput for a disabled account, and Forbidden for one that
    has a role.
    """
    reason = require_reason(reason)
    permission = Permission.IMPERSONATE
    async with changing(services, device, actor, permission, account_id) as change:
        session, user = change.session, change.user
        if user.roles:
            raise Forbidden("An account that has a role cannot be impersonated.")
        if user.disabled_at is not None:
            raise InvalidInput("This account is disabled.")
        own = await session.get(LoginSession, actor.session_id)
        if own is None:
            raise SessionEnded
        tell(session, services, user, Act.IMPERSONATED, reason=reason)
        return await sessions.start_impersonated(
            session, services, device, user, own, reason=reason
        )
