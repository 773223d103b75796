"""Change the account of another user: who may, and what is locked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User
from domain import security_events
from domain.access_tokens.tokens import MULTIPLE_FACTORS, Caller
from domain.authentication.lock import lock_user
from domain.authentication.reauthentication import Proof, lock_proved, prove
from domain.devices import Device
from domain.errors import Forbidden, NotFound, SecondFactorSetupRequired, SessionEnded
from domain.roles import NEEDS_PROOF, Operator, Permission, permissions_of
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions.active import is_active

NO_SUCH_ACCOUNT = "There is no such account."
NOT_PERMITTED = "Your roles do not permit this."
IS_STAFF = "Your roles do not permit this for an account that has a role."


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an account under way, in a transaction that has locked its row."""

    session: AsyncSession
    user: User
    #: None for the operator.
    actor_id: UUID | None

    def record(self, kind: EventKind, device: Device, *, detail: str | None = None) -> None:
        """Record an event of the account, with who did it."""
        security_events.record(
            self.session,
            kind,
            device,
            user_id=self.user.id,
            actor_id=self.actor_id,
            detail=detail,
        )


async def require_permission(
    session: AsyncSession, services: Services, actor: Caller | Operator, permission: Permission
) -> frozenset[Permission]:
    """Return all that the actor's roles permit. Goes by the rows of this moment: a role that was
    revoked, or a session that has ended, permits nothing any more (OWASP ASVS 5, 8.3.2).

    Raises Forbidden, SessionEnded, or SecondFactorSetupRequired where the server requires a second
    factor of those who have a role.
    """
    if isinstance(actor, Operator):
        return frozenset(Permission)
    found = await session.execute(
        select(User, LoginSession)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(User.id == actor.user_id, LoginSession.id == actor.session_id, is_active())
        .options(undefer(User.role_names))
        # The roles may have changed since this session of the database has read them.
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    if row is None:
        raise SessionEnded
    user, current = row
    permitted = permissions_of(user.roles)
    if permission not in permitted or current.impersonator_id is not None:
        raise Forbidden(NOT_PERMITTED)
    if services.requires_second_factor_of_staff and MULTIPLE_FACTORS not in current.amr:
        raise SecondFactorSetupRequired
    return permitted


@asynccontextmanager
async def changing(
    services: Services,
    device: Device,
    actor: Caller | Operator,
    permission: Permission,
    account_id: UUID,
) -> AsyncIterator[Change]:
    """Open the transaction of a change to an account, once the actor may make it and has proved who
    they are, if the change takes that.

    Raises NotFound, TooManyAttempts, ReauthenticationRequired and what `require_permission` raises.
    """
    proof = await _prove_permitted(services, device, actor, permission)
    async with services.database.writing() as session:
        actor_id = None if isinstance(actor, Operator) else actor.user_id
        await _lock_in_order(session, {account_id} | ({actor_id} if actor_id else set()))
        permitted = await require_permission(session, services, actor, permission)
        if proof is not None and not isinstance(actor, Operator):
            await lock_proved(session, services, actor, proof)
        user = await lock_user(session, account_id)
        if user is None:
            raise NotFound(NO_SUCH_ACCOUNT)
        if user.roles and Permission.MANAGE_STAFF not in permitted:
            raise Forbidden(IS_STAFF)
        await session.refresh(user, ["disabled_reason"])
        yield Change(session, user, actor_id)


async def _prove_permitted(
    services: Services, device: Device, actor: Caller | Operator, permission: Permission
) -> Proof | None:
    """Return a recent proof of the actor, or None if the change takes none, as for the operator.

    Those who may not are told so before they are asked for a proof, and without occupying SQLite's
    single writer.
    """
    if isinstance(actor, Operator):
        return None
    async with services.database.reading() as session:
        await require_permission(session, services, actor, permission)
    # Many acts send a mail to the owner.
    await services.rate_limiter.hit(services.rate_limiter.limits.write, str(actor.user_id))
    return await prove(services, device, actor) if permission in NEEDS_PROOF else None


async def _lock_in_order(session: AsyncSession, user_ids: set[UUID]) -> None:
    """Lock the rows of both users, so that two who change each other do so in turn."""
    rows = select(User.id).where(User.id.in_(user_ids)).order_by(User.id)
    await session.execute(rows.with_for_update(key_share=True))
