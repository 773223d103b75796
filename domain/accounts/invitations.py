"""Invitations: who can create an account where not everyone can.

An invitation is the link in a mail, so who has it reads mail at its address. The account is created
with that email, verified. `domain.admin` sends invitations.
"""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain import tickets
from domain.emails import Address
from domain.errors import InvalidCode, InvalidInput, RegistrationClosed
from domain.services import RegistrationMode, Services
from domain.tickets import TicketKind

LIFETIME = timedelta(days=7)

NEEDED = "This server creates accounts by invitation only."
FOR_ANOTHER = "This invitation is for another email."

_KIND = TicketKind.INVITATION


def require_open(services: Services, *, invited: bool) -> None:
    """Raise RegistrationClosed unless accounts can be created, with or without an invitation."""
    mode = services.registration
    if mode is RegistrationMode.CLOSED:
        raise RegistrationClosed
    if mode is RegistrationMode.INVITE and not invited:
        raise RegistrationClosed(NEEDED)


async def require_for(services: Services, token: str, address: Address) -> None:
    """Raise InvalidCode unless the token of an invitation can be used, or InvalidInput if it is for
    another address. The token stays unused."""
    mailer = services.require_mailer()
    async with services.database.reading() as session:
        ticket = await tickets.find(session, mailer.keys, _KIND, token)
    if ticket is None:
        raise InvalidCode("invitation")
    if ticket.state["email_key"] != address.key:
        raise InvalidInput(fields={"email": [FOR_ANOTHER]})


async def use(session: AsyncSession, services: Services, token: str, address: Address) -> None:
    """Use an invitation in the transaction that creates its account, and end all others for the
    address. Raises InvalidCode if it was used or has expired meanwhile."""
    used = await tickets.use_token(session, services.require_mailer().keys, _KIND, token)
    if used is None:
        raise InvalidCode("invitation")
    # The user has what it held.
    await session.delete(used)
    await end(session, address)


async def use_of_address(session: AsyncSession, services: Services, address: Address) -> None:
    """Use the invitation of an address that someone else has verified, if one is needed. Raises
    RegistrationClosed if there is none any more."""
    if services.registration is RegistrationMode.INVITE and not await end(session, address):
        raise RegistrationClosed(NEEDED)


async def end(session: AsyncSession, address: Address) -> int:
    """End the invitations for an address, and return how many could still be used."""
    return await tickets.discard_for(session, _KIND, address.key)


async def is_invited(services: Services, address: Address) -> bool:
    """Return whether an address has an invitation that can be used."""
    async with services.database.reading() as session:
        return await tickets.is_usable_for(session, _KIND, address.key)
