"""The authenticator app of a user: set up, replace, remove, and verify its codes."""

import base64
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import LoginSession, Ticket, TotpFactor, User
from domain import security_events, sessions, tickets, totp
from domain.access_tokens.tokens import MULTIPLE_FACTORS, Caller
from domain.authentication import recovery_codes
from domain.authentication.factors import factors_of_one, remove_totp, require_one_left
from domain.authentication.mail_requests import count_attempt
from domain.authentication.reauthentication import lock_proved, prove, require_verified_email
from domain.data_keys import DataKeys, Sealed
from domain.devices import Device
from domain.errors import InvalidCode, NotFound
from domain.ids import new_id
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import TicketKind

logger = logging.getLogger("gatehouse")

SETUP_LIFETIME = timedelta(minutes=10)

_KIND = TicketKind.TOTP_SETUP
_PURPOSE = "seed of an authenticator app"

WRONG_CODE = "The code is wrong, expired or already used. Enter the one that the app shows now."


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an authenticator app needs to make codes."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@retried
async def start_totp(services: Services, device: Device, caller: Caller) -> TotpSetup:
    """Return the seed of a new authenticator app. `confirm_totp` takes it into use; until then an
    earlier app keeps working. For ten minutes, the answer is the same in the same session.

    Raises ReauthenticationRequired, EmailNotVerified, NotConfigured or SessionEnded.
    """
    keys = services.require_data_keys()
    proof = await prove(services, device, caller)
    require_verified_email(services, proof.user)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        seed = await _pending_seed(session, keys, current) or _begin(session, keys, current)
    name = user.email if user.email_verified_at else user.username
    return TotpSetup(
        totp.secret_text(seed), totp.uri(seed, issuer=services.service_name, account=name)
    )


async def confirm_totp(
    services: Services, device: Device, caller: Caller, *, code: str
) -> list[str]:
    """Take the authenticator app into use with a code of it, and return ten recovery codes. They
    cannot be read again. All other sessions of the user end, and the code is used up.

    Raises InvalidCode, TooManyAttempts, NotConfigured or SessionEnded.
    """
    keys = services.require_data_keys()
    await count_attempt(services, caller, _KIND)
    codes = await _confirm(services, keys, device, caller, totp.parse_code(code))
    # After the commit, which counts the wrong attempt.
    if codes is None:
        raise InvalidCode("code", WRONG_CODE)
    return codes


@retried
async def remove_authenticator_app(services: Services, device: Device, caller: Caller) -> User:
    """Remove the caller's authenticator app and the recovery codes.

    Raises ReauthenticationRequired, NotFound, InvalidInput or SessionEnded.
    """
    proof = await prove(services, device, caller)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        if not await remove_totp(session, user.id):
            raise _no_app()
        await require_one_left(session, services, user.id)
        security_events.record_in(session, EventKind.TOTP_REMOVED, device, current)
        await notify(session, services, device, Template.TOTP_REMOVED, user)
    return user


@retried
async def replace_recovery_codes(services: Services, device: Device, caller: Caller) -> list[str]:
    """Replace all recovery codes of the caller, and return the new ones. They cannot be read again.

    Raises ReauthenticationRequired, NotFound or SessionEnded.
    """
    proof = await prove(services, device, caller)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        if not (await factors_of_one(session, user.id)).totp:
            raise _no_app()
        codes = await recovery_codes.replace(session, user.id)
        security_events.record_in(session, EventKind.RECOVERY_CODES_REPLACED, device, current)
        await notify(session, services, device, Template.RECOVERY_CODES_REPLACED, user)
    return codes


async def spend(session: AsyncSession, services: Services, user_id: UUID, code: str) -> bool:
    """Use a code of six digits of a user's authenticator app, and return whether it was right.

    A code works once, and so does each of its predecessors (RFC 6238 section 5.2): one UPDATE
    judges whether its time step is later than that of the newest code that was used.
    """
    factor = await session.scalar(select(TotpFactor).where(TotpFactor.user_id == user_id))
    seed = _open(services.require_data_keys(), factor) if factor else None
    step = totp.matching_step(seed, code) if seed else None
    if step is None:
        return False
    spent = await session.execute(
        update(TotpFactor)
        .where(TotpFactor.user_id == user_id, TotpFactor.last_step < step)
        .values(last_step=step)
        .returning(TotpFactor.user_id)
        .execution_options(synchronize_session=False)
    )
    return spent.one_or_none() is not None


@retried
async def _confirm(
    services: Services, keys: DataKeys, device: Device, caller: Caller, code: str | None
) -> list[str] | None:
    """Take the app into use, or count a wrong attempt and return None."""
    async with services.database.writing() as session:
        user, current = await sessions.lock_active(session, caller)
        ticket = await _pending(session, current)
        seed = _seed_of(keys, ticket) if ticket else None
        step = totp.matching_step(seed, code) if seed and code else None
        if ticket is None or not await tickets.use(session, ticket, is_right=step is not None):
            return None
        assert seed is not None
        assert step is not None
        had_app = await remove_totp(session, user.id)
        factor = _factor(keys, user.id, seed, step)
        session.add(factor)
        codes = await recovery_codes.replace(session, user.id)
        # They have proved less than a sign-in needs from now on.
        others = (LoginSession.user_id == user.id, LoginSession.id != current.id)
        await sessions.end_and_record(session, device, *others)
        # With a second factor before, who merely reads the owner's mail must not get rid of it.
        is_first = not had_app and MULTIPLE_FACTORS not in current.amr
        current.amr = sessions.joined(current.amr, ["otp", MULTIPLE_FACTORS])
        security_events.record_in(session, EventKind.TOTP_ADDED, device, current)
        await notify(
            session,
            services,
            device,
            Template.TOTP_ADDED,
            user,
            added=factor.id if is_first else None,
        )
    return codes


def _begin(session: AsyncSession, keys: DataKeys, current: LoginSession) -> bytes:
    seed = totp.new_seed()
    sealed = keys.seal(_PURPOSE, current.user_id.bytes, seed)
    state = {
        "key_id": sealed.key_id,
        "seed": base64.b64encode(sealed.value).decode(),
        "session_id": str(current.id),
    }
    tickets.create(session, _KIND, lifetime=SETUP_LIFETIME, user_id=current.user_id, state=state)
    return seed


async def _pending_seed(
    session: AsyncSession, keys: DataKeys, current: LoginSession
) -> bytes | None:
    ticket = await _pending(session, current)
    return _seed_of(keys, ticket) if ticket else None


async def _pending(session: AsyncSession, current: LoginSession) -> Ticket | None:
    """Return what was begun in the session. Who has stolen another one must neither know the seed
    that its owner takes into use, nor learn it."""
    found = await tickets.usable(session, _KIND, [current.user_id])
    own = [ticket for ticket in found if ticket.state["session_id"] == str(current.id)]
    return own[-1] if own else None


def _seed_of(keys: DataKeys, ticket: Ticket) -> bytes | None:
    assert ticket.user_id is not None
    sealed = Sealed(ticket.state["key_id"], base64.b64decode(ticket.state["seed"]))
    return keys.open(_PURPOSE, ticket.user_id.bytes, sealed)


def _factor(keys: DataKeys, user_id: UUID, seed: bytes, step: int) -> TotpFactor:
    sealed = keys.seal(_PURPOSE, user_id.bytes, seed)
    return TotpFactor(
        id=new_id(),
        user_id=user_id,
        key_id=sealed.key_id,
        sealed_seed=sealed.value,
        last_step=step,
        created_at=datetime.now(UTC),
    )


def _open(keys: DataKeys, factor: TotpFactor) -> bytes | None:
    """Return the seed, sealed anew if its key is a former one."""
    sealed = Sealed(factor.key_id, factor.sealed_seed)
    seed = keys.open(_PURPOSE, factor.user_id.bytes, sealed)
    if seed is None:
        logger.error("No data key opens the authenticator app of user %s.", factor.user_id)
    elif factor.key_id != keys.ids()[0]:
        renewed = keys.seal(_PURPOSE, factor.user_id.bytes, seed)
        factor.key_id, factor.sealed_seed = renewed.key_id, renewed.value
    return seed


def _no_app() -> NotFound:
    return NotFound("Your account has no authenticator app.")
