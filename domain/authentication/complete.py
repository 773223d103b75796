"""The end of every way of signing in."""

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import sessions
from domain.authentication.new_sign_in import notify_if_new
from domain.devices import Device
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn


async def complete(
    session: AsyncSession, services: Services, device: Device, user: User, *, method: LoginMethod
) -> SignedIn:
    """Start the session of a user who has proven who they are.

    Every way of signing in calls this and nothing else, so a rule that must hold for all of them is
    written here once (OWASP ASVS 6.3.4). The row of the user must be locked by this transaction, or
    new, and loaded with ``RECIPIENT``.
    """
    if method is not LoginMethod.REGISTRATION:
        await notify_if_new(session, services, device, user)
    return await sessions.start(session, services, device, user, method=method)
