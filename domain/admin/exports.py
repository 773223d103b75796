"""Export what is stored about a user, for an administrator who was asked for it."""

from typing import Any
from uuid import UUID

from db.database import retried
from domain.access_tokens.tokens import Caller
from domain.accounts.export import data_of
from domain.admin.changing import changing, prove_permitted
from domain.devices import Device
from domain.roles import Operator, Permission
from domain.security_events import EventKind
from domain.services import Services


@retried
async def export_account(
    services: Services, device: Device, actor: Caller | Operator, account_id: UUID
) -> dict[str, Any]:
    """Return all data about a user, as `data_of` does. The export is on record.

    Raises ReauthenticationRequired and what `changing` raises.
    """
    proof = await prove_permitted(services, device, actor, Permission.EXPORT_ACCOUNTS)
    permission = Permission.EXPORT_ACCOUNTS
    async with changing(services, actor, permission, account_id, proof=proof) as change:
        change.record(EventKind.EXPORTED, device)
    async with services.database.reading() as session:
        return await data_of(session, account_id)
