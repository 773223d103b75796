"""The answer of a passkey that an account has: to sign in, or to prove again who the caller is."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Passkey, Ticket, User
from domain import security_events, tickets
from domain.access_tokens.tokens import MULTIPLE_FACTORS
from domain.authentication.passkeys import ceremonies, challenges
from domain.authentication.passkeys.ceremonies import Assertion
from domain.authentication.passkeys.members import credential_id_of
from domain.devices import Device
from domain.errors import InvalidCode, UnknownCredential
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.tickets import TicketKind

KIND = TicketKind.PASSKEY_SIGN_IN

_WRONG = "The passkey was not accepted. Try again."
_UNKNOWN = "No account has this passkey. Use another one, or sign in in another way."


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """An answer to the challenge of a ticket, which is not used yet. It is right if it has an
    ``assertion``, and then the ``passkey`` has made it.

    ``is_unknown`` tells that it names a passkey that no account has.
    """

    ticket: Ticket = field(repr=False)
    passkey: Passkey | None = None
    assertion: Assertion | None = None
    is_unknown: bool = False

    @property
    def owner_id(self) -> UUID | None:
        return self.passkey.user_id if self.passkey else None

    def error(self) -> InvalidCode:
        return UnknownCredential("credential", _UNKNOWN) if self.is_unknown else wrong_passkey()


def wrong_passkey() -> InvalidCode:
    return InvalidCode("credential", _WRONG)


# Built once, for every sign-in.
_BY_CREDENTIAL_ID = (
    select(Passkey, User.webauthn_handle)
    .join(User, User.id == Passkey.user_id)
    .where(Passkey.credential_id == bindparam("credential_id"))
)
_OF_USER = select(Passkey).where(
    Passkey.id == bindparam("id"), Passkey.user_id == bindparam("user_id")
)


async def read_answer(
    services: Services, device: Device, *, ticket: str, credential: object
) -> PasskeyAnswer:
    """Verify an answer as far as nothing is written: made-up tickets must not occupy SQLite's
    single writer.

    Raises InvalidCode if the ticket cannot be used, TooManyAttempts or NotConfigured.
    """
    party = services.require_relying_party()
    await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
    credential_id = credential_id_of(credential)
    async with services.database.reading() as session:
        found = await tickets.find_kept(session, KIND, ticket)
        if found is None:
            raise wrong_passkey()
        if credential_id is None:
            return PasskeyAnswer(found)
        rows = await session.execute(_BY_CREDENTIAL_ID, {"credential_id": credential_id})
        row = rows.one_or_none()
    if row is None:
        return PasskeyAnswer(found, is_unknown=True)
    passkey, handle = row
    challenge = challenges.challenge_of(found)
    assertion = ceremonies.verify_assertion(party, challenge, credential, passkey, handle)
    return PasskeyAnswer(found, passkey, assertion)


async def use_answer(
    session: AsyncSession,
    services: Services,
    device: Device,
    user: User | None,
    answer: PasskeyAnswer,
    *,
    session_id: UUID | None = None,
) -> list[str] | None:
    """Use the ticket of an answer, and return how its passkey has proven the user (RFC 8176). Or
    record a wrong attempt and return None: commit in that case too.

    The user's row must be locked by the transaction, and loaded with ``RECIPIENT``. A passkey that
    is not the user's, or was removed since it was read, is wrong.
    """
    passkey = await _current(session, user, answer)
    is_right = passkey is not None and answer.assertion is not None
    ticket = await tickets.use(session, answer.ticket, is_right=is_right)
    if ticket is None or user is None or passkey is None or answer.assertion is None:
        security_events.record(
            session,
            EventKind.WRONG_CODE,
            device,
            user_id=user.id if user else None,
            session_id=session_id,
        )
        return None
    if not _has_grown(passkey, answer.assertion):
        # A signal and no proof that there is a copy (WebAuthn Level 3, section 6.1.1), and
        # passkeys of some makers never count.
        security_events.record(
            session, EventKind.PASSKEY_COUNTER, device, user_id=user.id, session_id=session_id
        )
        values = {"passkey": passkey.name}
        await notify(session, services, device, Template.PASSKEY_COUNTER, user, values=values)
    passkey.sign_count = answer.assertion.sign_count
    passkey.backed_up = answer.assertion.backed_up
    passkey.last_used_at = datetime.now(UTC)
    return ["swk" if passkey.backup_eligible else "hwk", "user", MULTIPLE_FACTORS]


async def _current(
    session: AsyncSession, user: User | None, answer: PasskeyAnswer
) -> Passkey | None:
    if user is None or answer.passkey is None:
        return None
    passkey: Passkey | None = await session.scalar(
        _OF_USER, {"id": answer.passkey.id, "user_id": user.id}
    )
    return passkey


def _has_grown(passkey: Passkey, assertion: Assertion) -> bool:
    counts = passkey.sign_count > 0 or assertion.sign_count > 0
    return not counts or assertion.sign_count > passkey.sign_count
