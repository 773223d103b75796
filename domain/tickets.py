"""Tickets: what is proven once and soon, such as the ownership of an email.

A ticket is proven by a token, which is in the link of a mail, or by a code of six digits. Both are
computed from the ticket's id with the data key, when the mail is sent and again when they come
back. So neither the tickets nor the outbox contain anything that a reader of the database could
use.

A code is short, so it works only with what the browser kept that asked for it, or by the user who
asked while signed in, and only for ``MAX_ATTEMPTS`` (OWASP ASVS 5, 6.5.4 and 6.6.2).
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Ticket
from domain.data_keys import DataKeys
from domain.ids import new_id

# Wrong codes before a ticket is worthless.
MAX_ATTEMPTS = 5

CODE_DIGITS = 6

# With blanks between the digits.
_MAX_TYPED = 64

_ID_BYTES = 16
_SECRET_BYTES = 32

# With white space around it.
_MAX_PASTED = 128

# 16 bytes of the id and 32 that prove something.
_TEXT = re.compile(r"[A-Za-z0-9_-]{64}")


class TicketKind(StrEnum):
    """What a ticket is for. One of another kind is refused."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    EMAIL_CHANGE_UNDO = "EMAIL_CHANGE_UNDO"
    PASSWORD_RESET = "PASSWORD_RESET"
    SIGN_IN = "SIGN_IN"
    REGISTRATION = "REGISTRATION"
    ACCOUNT_SECURITY = "ACCOUNT_SECURITY"


#: What gives access to an account or changes it. The undo of a changed email is not among them: it
#: outlives what someone does who has taken the account over.
PROOFS = frozenset(TicketKind) - {TicketKind.EMAIL_CHANGE_UNDO}


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket and ``value``, which the browser that asked for it keeps."""

    ticket: Ticket
    value: str = field(repr=False)


def create(
    session: AsyncSession,
    kind: TicketKind,
    *,
    lifetime: timedelta,
    user_id: UUID | None = None,
    state: dict[str, Any] | None = None,
) -> NewTicket:
    """Add a ticket to the transaction. ``user_id`` is None if no user has the email, so that the
    answer is the same."""
    id, secret, now = new_id(), secrets.token_bytes(_SECRET_BYTES), datetime.now(UTC)
    ticket = Ticket(
        id=id,
        kind=kind,
        user_id=user_id,
        secret_hash=_hash(secret),
        state=state or {},
        attempts=0,
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(ticket)
    return NewTicket(ticket, _text(id, secret))


def token(keys: DataKeys, kind: TicketKind, id: UUID) -> str:
    """Return the token of a ticket: 64 characters for a link."""
    return _text(id, keys.mac(_token_purpose(kind), id.bytes))


def code(keys: DataKeys, kind: TicketKind, id: UUID) -> str:
    """Return the code of a ticket: six digits to type."""
    return _digits(keys.mac(_code_purpose(kind), id.bytes))


def reference(ticket: Ticket) -> str:
    """Return what a message says of its ticket, which is no secret: `proofs` makes them of it."""
    return f"{ticket.kind}:{ticket.id}"


def proofs(keys: DataKeys, reference: str) -> tuple[str, str]:
    """Return the token and the code of a ticket."""
    kind, _, id = reference.partition(":")
    which = (TicketKind(kind), UUID(id))
    return token(keys, *which), code(keys, *which)


async def find(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, token: str
) -> Ticket | None:
    """Return the ticket of a token without using it, or None if it cannot be used."""
    id = _id_of_token(keys, kind, token)
    tickets = select(Ticket).where(Ticket.id == id, *_is_usable(kind, datetime.now(UTC)))
    return None if id is None else await session.scalar(tickets)


async def find_kept(session: AsyncSession, kind: TicketKind, value: str) -> Ticket | None:
    """Return the ticket of what the browser kept without using it, or None if it cannot be used."""
    parts = _parts(value)
    if parts is None:
        return None
    tickets = select(Ticket).where(*_kept(*parts), *_is_usable(kind, datetime.now(UTC)))
    found: Ticket | None = await session.scalar(tickets)
    return found


def is_token(text: str) -> bool:
    """Return whether a text has the format of a token, and not that of a code."""
    return _parts(text) is not None


async def use_token(
    session: AsyncSession,
    keys: DataKeys,
    kind: TicketKind,
    token: str,
    *,
    user_id: UUID | None = None,
) -> Ticket | None:
    """Use the ticket of a token. Return None if it is wrong, used or expired, or if it is not the
    ticket of the user with ``user_id``."""
    id = _id_of_token(keys, kind, token)
    owner = () if user_id is None else (Ticket.user_id == user_id,)
    return None if id is None else await _use(session, kind, Ticket.id == id, *owner)


async def use_code(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, value: str, code: str
) -> Ticket | None:
    """Use a ticket by its code and by what the browser kept. Return None if one of them is wrong,
    or if the ticket is used or expired. Commit in that case too: a wrong code counts."""
    parts = _parts(value)
    if parts is None:
        return None
    is_right = _is_code(keys, kind, parts[0], code)
    return await _use(session, kind, *_kept(*parts), is_right=is_right)


async def use_code_of(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, user_id: UUID, code: str
) -> Ticket | None:
    """Use a user's newest ticket of a kind by its code, as `use_code` does."""
    id: UUID | None = await session.scalar(
        select(Ticket.id)
        .where(Ticket.user_id == user_id, *_is_usable(kind, datetime.now(UTC)))
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if id is None:
        return None
    return await _use(session, kind, Ticket.id == id, is_right=_is_code(keys, kind, id, code))


async def use_own(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, user_id: UUID, proof: str
) -> Ticket | None:
    """Use a user's ticket by its token, or their newest by its code, as `use_code` does."""
    if is_token(proof):
        return await use_token(session, keys, kind, proof, user_id=user_id)
    return await use_code_of(session, keys, kind, user_id, proof)


async def usable(
    session: AsyncSession, kind: TicketKind, user_ids: Collection[UUID]
) -> Sequence[Ticket]:
    """Return the tickets of users that can still be used, the oldest first."""
    found = await session.scalars(
        select(Ticket)
        .where(Ticket.user_id.in_(user_ids), *_is_usable(kind, datetime.now(UTC)))
        .order_by(Ticket.id)
    )
    return found.all()


async def discard(
    session: AsyncSession,
    user_id: UUID,
    kinds: Collection[TicketKind],
    *,
    keep: Collection[UUID] = (),
) -> None:
    """Delete a user's tickets of these kinds, except those with the ids to keep, so that their
    links and codes no longer work."""
    await session.execute(
        delete(Ticket)
        .where(Ticket.user_id == user_id, Ticket.kind.in_(kinds), Ticket.id.not_in(keep))
        .execution_options(synchronize_session=False)
    )


async def _use(
    session: AsyncSession, kind: TicketKind, *which: ColumnElement[bool], is_right: bool = True
) -> Ticket | None:
    """Use a ticket or count a wrong attempt, in one statement: of several at the same time, one
    uses it, and no more than ``MAX_ATTEMPTS`` are judged."""
    now = datetime.now(UTC)
    ticket: Ticket | None = await session.scalar(
        update(Ticket)
        .where(*which, *_is_usable(kind, now))
        .values({Ticket.used_at: now} if is_right else {Ticket.attempts: Ticket.attempts + 1})
        .returning(Ticket)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return ticket if is_right else None


def _kept(id: UUID, secret: bytes) -> tuple[ColumnElement[bool], ...]:
    # Who does not have the secret cannot use up the attempts either.
    return Ticket.id == id, Ticket.secret_hash == _hash(secret)


def _is_usable(kind: TicketKind, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Ticket.kind == kind,
        Ticket.used_at.is_(None),
        Ticket.expires_at > now,
        Ticket.attempts < MAX_ATTEMPTS,
    )


def _id_of_token(keys: DataKeys, kind: TicketKind, token: str) -> UUID | None:
    parts = _parts(token)
    if parts is None:
        return None
    id, mac = parts
    return id if _is_one_of(mac, keys.macs(_token_purpose(kind), id.bytes)) else None


def _is_code(keys: DataKeys, kind: TicketKind, id: UUID, code: str) -> bool:
    """Compare a code. People type it in groups, with blanks between them."""
    if len(code) > _MAX_TYPED:
        return False
    typed = "".join(code.split()).encode(errors="replace")
    codes = [_digits(mac).encode() for mac in keys.macs(_code_purpose(kind), id.bytes)]
    return _is_one_of(typed, codes)


def _is_one_of(given: bytes, values: list[bytes]) -> bool:
    # A list, so that each is compared and the time tells nothing.
    return any([hmac.compare_digest(given, value) for value in values])  # noqa: C419


def _token_purpose(kind: TicketKind) -> str:
    return f"token of a ticket: {kind}"


def _code_purpose(kind: TicketKind) -> str:
    return f"code of a ticket: {kind}"


def _digits(mac: bytes) -> str:
    # Of 256 bits, so each code is as likely as another.
    return f"{int.from_bytes(mac) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def _text(id: UUID, proof: bytes) -> str:
    return base64.urlsafe_b64encode(id.bytes + proof).decode()


def _parts(text: str) -> tuple[UUID, bytes] | None:
    """Return the id and the proof, or None if the text does not have this format. White space
    around it is no part of it."""
    if len(text) > _MAX_PASTED or not _TEXT.fullmatch(text.strip()):
        return None
    both = base64.urlsafe_b64decode(text.strip())
    return UUID(bytes=both[:_ID_BYTES]), both[_ID_BYTES:]


def _hash(secret: bytes) -> str:
    """Return the SHA-256 in hexadecimal. A secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret).hexdigest()
