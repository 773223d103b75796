"""The second step of a sign-in: a code of the authenticator app, or a recovery code."""

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import Ticket, User
from domain import security_events, sessions, tickets, totp
from domain.access_tokens.tokens import MULTIPLE_FACTORS
from domain.authentication import recovery_codes
from domain.authentication.attempts import counted_as, knows_network
from domain.authentication.complete import require_enabled
from domain.authentication.factors import SecondFactor, factors_of_one
from domain.authentication.lock import lock_user
from domain.authentication.new_sign_in import notify_if_new
from domain.authentication.outcomes import reported
from domain.authentication.totp import spend
from domain.devices import Device
from domain.errors import InvalidCode
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import TicketKind

#: How a code of either kind shows in `amr` (RFC 8176).
AMR = ("otp", MULTIPLE_FACTORS)

WRONG_CODE = "The code is wrong, expired or already used."

_KIND = TicketKind.SECOND_FACTOR


async def pass_second_factor(
    services: Services, device: Device, *, ticket: str, code: str
) -> SignedIn:
    """Start the session of a sign-in whose first factor was right, with a code of the user's
    authenticator app or a recovery code: they are told apart by their form.

    Attempts are counted for the account, as `counted_as` says, apart from those of passwords: a
    right password forgives none of them, and neither does a new ticket. Only a right code does. The
    ticket is dead after five wrong codes, and when the password or the factors change.

    Raises InvalidCode, whatever was wrong; TooManyAttempts or NotConfigured.
    """
    kind = SecondFactor.RECOVERY_CODE if recovery_codes.parse(code) else SecondFactor.TOTP
    with reported(services, kind):
        return await _pass_second_factor(services, device, ticket, code)


async def _pass_second_factor(
    services: Services, device: Device, ticket: str, code: str
) -> SignedIn:
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    # Read first: made-up tickets must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        found = await tickets.find_kept(session, _KIND, ticket)
        if found is None:
            raise InvalidCode("code", WRONG_CODE)
        is_known = await knows_network(session, found.user_id, device)
    key = counted_as(str(found.user_id), device, knows_network=is_known)
    await limiter.hit(limiter.limits.code, _KIND, *key)
    signed_in = await _pass(services, device, found, code)
    # After the commit, which counts the wrong attempt.
    if signed_in is None:
        raise InvalidCode("code", WRONG_CODE)
    # The count of other networks stays, as at `log_in`.
    known = counted_as(str(found.user_id), device, knows_network=True)
    await limiter.reset(limiter.limits.code, _KIND, *known)
    return signed_in


async def use_code(
    session: AsyncSession, services: Services, device: Device, user: User, code: str
) -> SecondFactor | None:
    """Use a code of either kind, tell the owner about a recovery code, and return what it was, or
    None if it is wrong. The user's row must be locked by the transaction, and loaded with
    ``RECIPIENT``."""
    if digits := totp.parse_code(code):
        return SecondFactor.TOTP if await spend(session, services, user.id, digits) else None
    letters = recovery_codes.parse(code)
    if letters is None or not await recovery_codes.use(session, user.id, letters):
        return None
    security_events.record(session, EventKind.RECOVERY_CODE_USED, device, user_id=user.id)
    left = (await factors_of_one(session, user.id)).recovery_codes_left
    values = {"codes_left": left}
    await notify(session, services, device, Template.RECOVERY_CODE_USED, user, values=values)
    return SecondFactor.RECOVERY_CODE


@retried
async def _pass(services: Services, device: Device, ticket: Ticket, code: str) -> SignedIn | None:
    """Use the ticket and start the session, or count a wrong code and return None."""
    async with services.database.writing() as session:
        # The user first, as all commands do: tickets may be deleted under this lock.
        user = await lock_user(session, ticket.user_id)
        if user is None:
            return None
        require_enabled(user)
        used_factor = await use_code(session, services, device, user, code)
        used = await tickets.use(session, ticket, is_right=used_factor is not None)
        if used_factor is None:
            security_events.record(session, EventKind.WRONG_CODE, device, user_id=user.id)
            return None
        if used is None:
            # Undoes the use of the code, which is good for another sign-in.
            raise InvalidCode("code", WRONG_CODE)
        await notify_if_new(session, services, device, user)
        return await sessions.start(
            session,
            services,
            device,
            user,
            method=LoginMethod(used.state["method"]),
            amr=sessions.joined(used.state["amr"], AMR),
        )
