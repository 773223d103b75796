"""Prove again who the caller of a session is, before a sensitive change (RFC 9470)."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import LoginSession, User
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.factors import factors_of_one
from domain.authentication.passkeys.answers import PasskeyAnswer, read_answer, use_answer
from domain.authentication.reauthentication import (
    ProofMethod,
    confirm_password,
    methods_of,
    wrong_password,
)
from domain.authentication.second_factor import AMR, WRONG_CODE, use_code
from domain.devices import Device
from domain.errors import InvalidCode, ReauthenticationRequired
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions import SignedIn
from domain.sessions.refresh_tokens import RefreshToken
from domain.tickets import TicketKind


async def reauthenticate_by_password(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    password: str,
    refresh_token: RefreshToken | None = None,
) -> SignedIn:
    """Return new tokens of the caller's session, as `sessions.renew` does, for their password.

    ``refresh_token`` is the one that came with the request, if it is at hand.

    Raises ReauthenticationRequired if the account has a second factor, and what `confirm_password`
    raises.
    """
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True, as_owner=True)
        methods = methods_of(services, user, await factors_of_one(session, user.id))
    if user.password_hash is not None and ProofMethod.PASSWORD not in methods:
        raise ReauthenticationRequired(methods)
    confirmed = await confirm_password(services, device, caller, user, password, field="password")
    return await _renew(services, device, caller, confirmed, refresh_token)


async def reauthenticate_by_code(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    code: str,
    refresh_token: RefreshToken | None = None,
) -> SignedIn:
    """Return new tokens of the caller's session, as `sessions.renew` does, for a code of their
    authenticator app or a recovery code.

    Attempts are counted for each session, as those of passwords are: a stolen session cannot lock
    the owner out. Only a right code forgives them.

    Raises InvalidCode, TooManyAttempts, NotConfigured or SessionEnded.
    """
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    attempts = (limiter.limits.code, TicketKind.SECOND_FACTOR, "session", str(caller.session_id))
    await limiter.hit(*attempts)
    signed_in = await _use_code(services, device, caller, code, refresh_token)
    # After the commit, which records the wrong code.
    if signed_in is None:
        raise InvalidCode("code", WRONG_CODE)
    await limiter.reset(*attempts)
    return signed_in


async def reauthenticate_by_passkey(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    ticket: str,
    credential: object,
    refresh_token: RefreshToken | None = None,
) -> SignedIn:
    """Return new tokens of the caller's session, as `sessions.renew` does, for the answer of one of
    their passkeys to the challenge of `start_passkey_sign_in`.

    Raises InvalidCode, whatever was wrong; UnknownCredential, TooManyAttempts, NotConfigured or
    SessionEnded.
    """
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
    answer = await read_answer(services, device, ticket=ticket, credential=credential)
    signed_in = await _use_passkey(services, device, caller, answer, refresh_token)
    # After the commit, which counts the wrong attempt.
    if signed_in is None:
        raise answer.error()
    return signed_in


@retried
async def _use_code(
    services: Services,
    device: Device,
    caller: Caller,
    code: str,
    refresh_token: RefreshToken | None,
) -> SignedIn | None:
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        if await use_code(session, services, device, user, code) is None:
            security_events.record_in(session, EventKind.WRONG_CODE, device, current)
            return None
        return await _proved(session, services, device, user, current, AMR, refresh_token)


@retried
async def _use_passkey(
    services: Services,
    device: Device,
    caller: Caller,
    answer: PasskeyAnswer,
    refresh_token: RefreshToken | None,
) -> SignedIn | None:
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        amr = await use_answer(session, services, device, user, answer, session_id=current.id)
        if amr is None:
            return None
        return await _proved(session, services, device, user, current, amr, refresh_token)


@retried
async def _renew(
    services: Services,
    device: Device,
    caller: Caller,
    confirmed_hash: str,
    refresh_token: RefreshToken | None,
) -> SignedIn:
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        if user.password_hash != confirmed_hash:
            raise wrong_password("password")
        return await _proved(session, services, device, user, current, ["pwd"], refresh_token)


async def _proved(
    session: AsyncSession,
    services: Services,
    device: Device,
    user: User,
    current: LoginSession,
    amr: Collection[str],
    refresh_token: RefreshToken | None,
) -> SignedIn:
    security_events.record_in(session, EventKind.REAUTHENTICATED, device, current)
    return await sessions.renew(
        session, services, user, current, amr=amr, refresh_token=refresh_token
    )
