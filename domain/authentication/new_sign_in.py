"""The notice of a sign-in from a new network or device."""

from sqlalchemy import and_, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain.devices import Device
from domain.mail import Template
from domain.security_notices import can_notify, notify
from domain.services import Services

_OF_USER = and_(
    LoginSession.user_id == bindparam("user_id"), LoginSession.impersonator_id.is_(None)
)
# The index by user and network serves both.
_IS_KNOWN = select(
    exists().where(_OF_USER, LoginSession.network == bindparam("network")),
    exists().where(_OF_USER, LoginSession.device.is_not_distinct_from(bindparam("device"))),
)


async def notify_if_new(
    session: AsyncSession, services: Services, device: Device, user: User
) -> None:
    """Mail the user about a sign-in that is about to start a session, unless both its network and
    its device are known from sessions that are kept.

    Either one is unusual (OWASP ASVS 5, 6.3.5). The device alone proves nothing: clients name it,
    and many have the same. A session that moves between networks is refreshed and not signed in to,
    so it causes no mail.
    """
    if can_notify(services, user) and not await _knows_both(session, device, user):
        await notify(session, services, device, Template.NEW_SIGN_IN, user)


async def _knows_both(session: AsyncSession, device: Device, user: User) -> bool:
    values = {"user_id": user.id, "network": device.network, "device": device.name}
    return all((await session.execute(_IS_KNOWN, values)).one())
