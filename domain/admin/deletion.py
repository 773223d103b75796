"""Delete the account of another user."""

from uuid import UUID

from db.database import retried
from domain import security_events
from domain.access_tokens.tokens import Caller
from domain.accounts.deletion import delete_locked
from domain.accounts.pictures import discard_picture
from domain.admin.changing import changing
from domain.admin.reasons import require_reason
from domain.devices import Device
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services


@retried
async def delete_account(
    services: Services,
    device: Device,
    actor: Caller | Operator,
    account_id: UUID,
    *,
    reason: str,
    erase: bool,
) -> UUID:
    """Delete an account as its owner would, and return its id.

    ``erase`` also removes the personal data from its security events, which stay until they are
    pruned: what happened, when and by whom (GDPR article 17).

    Raises InvalidInput and what `changing` raises, and Forbidden for the last administrator.
    """
    reason = require_reason(reason)
    permission = Permission.DELETE_ACCOUNTS
    async with changing(services, device, actor, permission, account_id) as change:
        if erase:
            await security_events.erase(change.session, account_id)
        change.record(EventKind.DELETED, device, detail=None if erase else reason)
        picture_id = await delete_locked(change.session, change.user)
    await discard_picture(services, picture_id)
    return account_id
