"""Import users of another system, with their password hashes, for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.insert import insert_what_is_new
from db.models import User
from domain import emails, events, security_events, usernames
from domain.accounts.profile import image_file_problems
from domain.accounts.users import email_problems
from domain.devices import Device
from domain.errors import EmailTaken, UsernameTaken
from domain.events import EventType
from domain.ids import new_id
from domain.mail.languages import find_language
from domain.passwords.formats import FirebaseConfig, InvalidHash, stored_form
from domain.security_events import EventKind
from domain.services import Services
from domain.text import trim

#: In the security events of the account.
IMPORTED = "Imported from another system."

FIREBASE_MISSING = "A salt is only for hashes of Firebase, whose parameters are missing."
IN_THE_FUTURE = "An account cannot have been created in the future."

# Django writes this in place of the hash of a user who cannot sign in with a password.
_UNUSABLE = "!"


@dataclass(frozen=True, slots=True)
class ForeignUser:
    """A user of another system, on a line of a file. Without a hash, the account gets no password.

    A hash with a salt beside it is one of Firebase.
    """

    line: int
    username: str
    email: str
    email_verified: bool = False
    password_hash: str | None = field(default=None, repr=False)
    password_salt: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    image_file: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class NotImported:
    """A line of which no account was made, with messages for each field at fault."""

    line: int
    problems: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """``existing`` is the number of users whose account is there already."""

    created: int
    existing: int
    not_imported: list[NotImported]


@retried
async def import_users(
    services: Services,
    device: Device,
    users: Sequence[ForeignUser],
    *,
    firebase: FirebaseConfig | None = None,
    is_trial: bool = False,
) -> ImportOutcome:
    """Create the accounts of some hundreds of users in one transaction, which is undone if it
    ``is_trial``. Each is judged as a registration is, and one that is refused does not affect the
    others.

    A user with the username and the email of one account is that account, which stays as it is: so
    the same file can be imported again. Sends no mail.
    """
    rows, problems = _judged(services, users, firebase)
    async with services.database.writing() as session:
        created = await insert_what_is_new(session, User, list(rows.values()), User.id)
        for id in created:
            security_events.record(
                session, EventKind.REGISTERED, device, user_id=id, detail=IMPORTED
            )
        for row in rows.values():
            if row["id"] in created and row["email_verified_at"] is not None:
                events.publish(session, EventType.USER_VERIFIED, user_id=row["id"])
        conflicts = {line: row for line, row in rows.items() if row["id"] not in created}
        holders = await _holders(session, list(conflicts.values()))
        if is_trial:
            await session.rollback()
    taken = {
        line: _taken(row, holders)
        for line, row in conflicts.items()
        if (row["username_key"], row["email_key"]) not in holders
    }
    not_imported = [NotImported(line, found) for line, found in sorted((problems | taken).items())]
    return ImportOutcome(len(created), len(conflicts) - len(taken), not_imported)


def _judged(
    services: Services, users: Sequence[ForeignUser], firebase: FirebaseConfig | None
) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, list[str]]]]:
    """Return the rows of the accounts, and the problems of the others, by their lines."""
    rows, problems = {}, {}
    for user in users:
        row, found = _row(services, user, firebase)
        if found:
            problems[user.line] = found
        else:
            rows[user.line] = row
    return rows, problems


def _row(
    services: Services, user: ForeignUser, firebase: FirebaseConfig | None
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the row of an account, and what is wrong with it by field."""
    now = datetime.now(UTC)
    address = emails.parse(user.email)
    password_hash, hash_problems = _password_hash(user, firebase)
    found = {
        "username": usernames.problems(user.username),
        "email": email_problems(services, address),
        "password_hash": hash_problems,
        "created_at": [IN_THE_FUTURE] if user.created_at and user.created_at > now else [],
        "image_file": image_file_problems(user.image_file),
    }
    problems = {name: messages for name, messages in found.items() if messages}
    if problems or address is None:
        return {}, problems
    language = find_language(user.locale or "")
    row = {
        "id": new_id(),
        "username": trim(user.username),
        "username_key": usernames.key(user.username),
        "email": address.text,
        "email_key": address.key,
        "email_verified_at": now if user.email_verified else None,
        "password_hash": password_hash,
        "image_file": user.image_file,
        # As at a registration: mail in another language is in English.
        "locale": language.code if language else None,
        "created_at": user.created_at or now,
    }
    return row, {}


def _password_hash(
    user: ForeignUser, firebase: FirebaseConfig | None
) -> tuple[str | None, list[str]]:
    if not user.password_hash or user.password_hash.startswith(_UNUSABLE):
        return None, []
    try:
        if user.password_salt is None:
            return stored_form(user.password_hash), []
        if firebase is None:
            return None, [FIREBASE_MISSING]
        return firebase.stored_form(user.password_hash, user.password_salt), []
    except InvalidHash as error:
        return None, [str(error)]


async def _holders(session: AsyncSession, rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return the keys, of username and email, of the accounts that have one of these rows."""
    if not rows:
        return set()
    found = await session.execute(
        select(User.username_key, User.email_key).where(
            or_(
                User.username_key.in_([row["username_key"] for row in rows]),
                User.email_key.in_([row["email_key"] for row in rows]),
            )
        )
    )
    return {(username, email) for username, email in found}


def _taken(row: dict[str, Any], holders: set[tuple[str, str]]) -> dict[str, list[str]]:
    found = {}
    if any(username == row["username_key"] for username, _ in holders):
        found["username"] = [UsernameTaken.message]
    if any(email == row["email_key"] for _, email in holders):
        found["email"] = [EmailTaken.message]
    # An account that had one of them and has just been deleted: the next import succeeds.
    return found or {"username": [UsernameTaken.message]}
