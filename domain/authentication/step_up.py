"""Prove again who the caller of a session is, before a sensitive change (RFC 9470)."""

from collections.abc import Collection

from db.database import retried
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.factors import factors_of_one
from domain.authentication.reauthentication import (
    Proof,
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
from domain.tickets import TicketKind


async def reauthenticate_by_password(
    services: Services, device: Device, caller: Caller, *, password: str
) -> SignedIn:
    """Return new tokens of the caller's session, as `sessions.renew` does, for their password.

    Raises ReauthenticationRequired if the account has a second factor, and what `confirm_password`
    raises.
    """
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True)
        methods = methods_of(user, await factors_of_one(session, user.id))
    if user.password_hash is not None and ProofMethod.PASSWORD not in methods:
        raise ReauthenticationRequired(methods)
    confirmed = await confirm_password(services, device, caller, user, password, field="password")
    return await _renew(services, device, caller, ["pwd"], Proof(user, confirmed, "password"))


async def reauthenticate_by_code(
    services: Services, device: Device, caller: Caller, *, code: str
) -> SignedIn:
    """Return new tokens of the caller's session, as `sessions.renew` does, for a code of their
    authenticator app or a recovery code.

    Attempts are counted for each session, as those of passwords are: a stolen session cannot lock
    the owner out. Only a right code forgives them.

    Raises InvalidCode, TooManyAttempts, NotConfigured or SessionEnded.
    """
    async with services.database.reading() as session:
        await sessions.require_active(session, caller)
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    attempts = (limiter.limits.code, TicketKind.SECOND_FACTOR, "session", str(caller.session_id))
    await limiter.hit(*attempts)
    signed_in = await _use_code(services, device, caller, code)
    # After the commit, which records the wrong code.
    if signed_in is None:
        raise InvalidCode("code", WRONG_CODE)
    await limiter.reset(*attempts)
    return signed_in


@retried
async def _use_code(
    services: Services, device: Device, caller: Caller, code: str
) -> SignedIn | None:
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        is_right = await use_code(session, services, device, user, code) is not None
        kind = EventKind.REAUTHENTICATED if is_right else EventKind.WRONG_CODE
        security_events.record(session, kind, device, user_id=user.id, session_id=current.id)
        return sessions.renew(services, user, current, amr=AMR) if is_right else None


@retried
async def _renew(
    services: Services, device: Device, caller: Caller, amr: Collection[str], proof: Proof
) -> SignedIn:
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        if user.password_hash != proof.confirmed_hash:
            raise wrong_password(proof.argument)
        security_events.record(
            session, EventKind.REAUTHENTICATED, device, user_id=user.id, session_id=current.id
        )
        return sessions.renew(services, user, current, amr=amr)
