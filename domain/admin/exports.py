"""Export what is stored about a user, for an administrator who was asked for it."""

from typing import Any
from uuid import UUID

from db.database import retried
from domain.access_tokens.tokens import Caller
from domain.accounts.export import data_of
from domain.admin.changing import changing
from domain.admin.reasons import require_reason
from domain.devices import Device
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services


@retried
async def export_account(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID, *, reason: str
) -> dict[str, Any]:
    """Return all data about a user, as `data_of` does. The export is on record.

    Raises InvalidInput and what `changing` raises.
    """
    reason = require_reason(reason)
    permission = Permission.EXPORT_ACCOUNTS
    async with changing(services, device, actor, permission, account_id) as change:
        change.record(EventKind.EXPORTED, device, detail=reason)
    async with services.database.reading() as session:
        return await data_of(session, account_id)
