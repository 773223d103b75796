"""The rows of tickets: each is used once, by one guarded UPDATE."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Ticket
from domain.data_keys import DataKeys
from domain.ids import new_id
from domain.tickets.codes import TicketKind, id_of_token, is_code, is_token, parts, text

# Wrong codes before a ticket is worthless.
MAX_ATTEMPTS = 5

_SECRET_BYTES = 32


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
    return NewTicket(ticket, text(id, secret))


async def find(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, token: str
) -> Ticket | None:
    """Return the ticket of a token without using it, or None if it cannot be used."""
    id = id_of_token(keys, kind, token)
    tickets = select(Ticket).where(Ticket.id == id, *_is_usable(kind, datetime.now(UTC)))
    return None if id is None else await session.scalar(tickets)


async def find_kept(session: AsyncSession, kind: TicketKind, value: str) -> Ticket | None:
    """Return the ticket of what the browser kept without using it, or None if it cannot be used."""
    kept = parts(value)
    if kept is None:
        return None
    tickets = select(Ticket).where(*_kept(*kept), *_is_usable(kind, datetime.now(UTC)))
    found: Ticket | None = await session.scalar(tickets)
    return found


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
    id = id_of_token(keys, kind, token)
    owner = () if user_id is None else (Ticket.user_id == user_id,)
    return None if id is None else await _use(session, kind, Ticket.id == id, *owner)


async def use_code(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, value: str, code: str
) -> Ticket | None:
    """Use a ticket by its code and by what the browser kept. Return None if one of them is wrong,
    or if the ticket is used or expired. Commit in that case too: a wrong code counts."""
    kept = parts(value)
    if kept is None:
        return None
    is_right = is_code(keys, kind, kept[0], code)
    return await _use(session, kind, *_kept(*kept), is_right=is_right)


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
    return await _use(session, kind, Ticket.id == id, is_right=is_code(keys, kind, id, code))


async def use_own(
    session: AsyncSession, keys: DataKeys, kind: TicketKind, user_id: UUID, proof: str
) -> Ticket | None:
    """Use a user's ticket by its token, or their newest by its code, as `use_code` does."""
    if is_token(proof):
        return await use_token(session, keys, kind, proof, user_id=user_id)
    return await use_code_of(session, keys, kind, user_id, proof)


async def use(session: AsyncSession, ticket: Ticket, *, is_right: bool = True) -> Ticket | None:
    """Use a ticket that was found before, or count a wrong attempt, as `use_code` does."""
    return await _use(session, TicketKind(ticket.kind), Ticket.id == ticket.id, is_right=is_right)


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


async def discard_for(session: AsyncSession, kind: TicketKind, email_key: str) -> int:
    """Delete the tickets of a kind for an address that no account has, and return how many could
    still be used."""
    of_address = Ticket.state["email_key"].as_string() == email_key
    deleted = await session.scalars(
        delete(Ticket)
        .where(of_address, *_is_usable(kind, datetime.now(UTC)))
        .returning(Ticket.id)
        .execution_options(synchronize_session=False)
    )
    return len(deleted.all())


async def is_usable_for(session: AsyncSession, kind: TicketKind, email_key: str) -> bool:
    """Return whether there is a ticket of a kind for an address that no account has."""
    of_address = Ticket.state["email_key"].as_string() == email_key
    found = select(Ticket.id).where(of_address, *_is_usable(kind, datetime.now(UTC))).limit(1)
    return await session.scalar(found) is not None


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


def _hash(secret: bytes) -> str:
    """Return the SHA-256 in hexadecimal. A secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret).hexdigest()
