"""Accounts: how a person registers, proves who they are, and changes what is theirs.

A function that hashes takes the session factory and opens short transactions of its own: Argon2 takes tens of
milliseconds, and a queue may stand before it, while no connection and no lock of SQLite may be held. The others take
a session.
"""

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.engine import Database, violated_constraint
from db.models import User
from domain import emails, passwords, usernames
from domain.emails import Address
from domain.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidInput,
    Unauthenticated,
    UsernameTaken,
)
from domain.ids import new_id
from domain.passwords import Passwords

MAX_IMAGE_FILE_LENGTH = 2048

# A frontend puts this into `src` or `href`, where "javascript:" would run.
_IMAGE_FILE = re.compile(r"https?://[!-~]+|[A-Za-z0-9_-][A-Za-z0-9._-]*")


class ProfileChanges(TypedDict, total=False):
    """What a person may change about their account; a key that is absent leaves things as they are."""

    username: str
    email: str
    image_file: str | None


async def register(
    database: Database, hasher: Passwords, *, username: str, email: str, password: str
) -> User:
    """Open an account. Raises InvalidInput, UsernameTaken, EmailTaken or Overloaded."""
    address = emails.parse(email)
    _refuse(
        username=usernames.problems(username),
        email=_email_problems(address),
        password=passwords.problems(password, username=username, email=email),
    )
    assert address is not None
    user = User(
        id=new_id(),
        password_hash=await hasher.hash(password),
        image_file=None,
        created_at=datetime.now(UTC),
    )
    _set_username(user, username)
    _set_email(user, address)
    async with _naming_what_is_taken(database, user.id, username), database.writing() as session:
        session.add(user)
    return user


async def authenticate(database: Database, hasher: Passwords, *, login: str, password: str) -> User:
    """The user with this username or email and this password.

    Raises InvalidCredentials, which never says what was wrong, after the same time whether there is such a user
    or not (OWASP Authentication Cheat Sheet); or Overloaded.
    """
    async with database.reading() as session:
        user = await _find_by_login(session, login)
    verdict = await hasher.verify(password, user.password_hash if user else None)
    if user is None or not verdict.right:
        raise InvalidCredentials
    if verdict.renewed_hash:
        async with database.writing() as session:
            await _replace_hash(session, user.id, user.password_hash, verdict.renewed_hash)
    return user


async def get_user(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.get(User, user_id)


async def get_users(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """Those of the users that there are, by their ids."""
    users = await session.scalars(select(User).where(User.id.in_(user_ids)))
    return {user.id: user for user in users}


async def hold(session: AsyncSession, user_id: UUID) -> User:
    """The user, who cannot be deleted until the transaction ends. Raises Unauthenticated when the account is gone."""
    user = await session.get(User, user_id, with_for_update={"read": True, "key_share": True})
    if user is None:
        raise Unauthenticated
    return user


async def update_profile(
    database: Database,
    hasher: Passwords,
    user_id: UUID,
    changes: ProfileChanges,
    *,
    current_password: str | None,
) -> User:
    """Change what is named in ``changes``; a new email needs the current password.

    Raises InvalidInput, InvalidCredentials, UsernameTaken, EmailTaken, Overloaded; Unauthenticated when the
    account is gone.
    """
    new_name = changes.get("username")
    address = emails.parse(changes["email"]) if "email" in changes else None
    _refuse(
        username=[] if new_name is None else usernames.problems(new_name),
        email=_email_problems(address) if "email" in changes else [],
        image_file=_image_file_problems(changes.get("image_file")),
    )
    proven_hash = None
    if address is not None and current_password is not None:
        async with database.reading() as session:
            user = await _with_hash(session, user_id)
        await _prove_password(hasher, user, current_password)
        proven_hash = user.password_hash
    async with (
        _naming_what_is_taken(database, user_id, new_name),
        database.writing() as session,
    ):
        user = await _with_hash(session, user_id, lock=True)
        if address is not None and user.email_key != address.key:
            # The hash is compared under the lock: the password may have been changed since it was proven.
            if user.password_hash != proven_hash:
                _refuse(current_password=["A new email needs your current password."])
            _set_email(user, address)
        if new_name is not None:
            _set_username(user, new_name)
        if "image_file" in changes:
            user.image_file = changes["image_file"]
    return user


async def change_password(
    database: Database,
    hasher: Passwords,
    user_id: UUID,
    *,
    current_password: str,
    new_password: str,
) -> User:
    """Replace the password. Raises InvalidInput, InvalidCredentials, Overloaded; Unauthenticated when the account is gone."""
    async with database.reading() as session:
        user = await _with_hash(session, user_id)
    _refuse(new_password=passwords.problems(new_password, username=user.username, email=user.email))
    await _prove_password(hasher, user, current_password)
    new_hash = await hasher.hash(new_password)
    async with database.writing() as session:
        if not await _replace_hash(session, user_id, user.password_hash, new_hash):
            raise _wrong_current_password()
    return user


def _refuse(**problems: list[str]) -> None:
    at_fault = {field: found for field, found in problems.items() if found}
    if at_fault:
        raise InvalidInput(fields=at_fault)


def _email_problems(address: Address | None) -> list[str]:
    return [] if address else ["This is not an email address that mail can be sent to."]


def _set_username(user: User, username: str) -> None:
    key = usernames.key(username)
    assert key is not None
    user.username, user.username_key = username, key


def _set_email(user: User, address: Address) -> None:
    user.email, user.email_key = address.text, address.key


@asynccontextmanager
async def _naming_what_is_taken(
    database: Database, user_id: UUID, username: str | None
) -> AsyncIterator[None]:
    """Around a transaction: the database judges uniqueness. Checking first and writing later is a race.

    Where both are taken it is the username that is named, whichever constraint the database looked at first.
    """
    try:
        yield
        return
    except IntegrityError as error:
        violated = violated_constraint(error)
        if violated not in ("uq_users_username_key", "uq_users_email_key"):
            raise
    if violated == "uq_users_email_key":
        async with database.reading() as session:
            holder = await session.scalar(
                select(User.id).where(
                    User.username_key == (username and usernames.key(username)), User.id != user_id
                )
            )
        if holder is None:
            raise EmailTaken
    raise UsernameTaken


async def _find_by_login(session: AsyncSession, login: str) -> User | None:
    if "@" in login:
        address = emails.parse(login)
        condition = User.email_key == (address and address.key)
    else:
        condition = User.username_key == usernames.key(login)
    found = await session.scalars(
        select(User).where(condition).options(undefer(User.password_hash))
    )
    return found.one_or_none()


async def _with_hash(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> User:
    """The user with their password hash. Raises Unauthenticated when the account is gone."""
    user = await session.get(
        User,
        user_id,
        with_for_update=lock,
        options=[undefer(User.password_hash), undefer(User.email_key)],
    )
    if user is None:
        raise Unauthenticated
    return user


async def _prove_password(hasher: Passwords, user: User, password: str) -> None:
    if not (await hasher.verify(password, user.password_hash)).right:
        raise _wrong_current_password()


def _wrong_current_password() -> InvalidCredentials:
    sentence = "This is not your current password."
    return InvalidCredentials(sentence, fields={"current_password": [sentence]})


async def _replace_hash(session: AsyncSession, user_id: UUID, old_hash: str, new_hash: str) -> bool:
    """Whether the old hash was still there to be replaced."""
    replaced = await session.execute(
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
        .returning(User.id)
    )
    return replaced.one_or_none() is not None


def _image_file_problems(image_file: str | None) -> list[str]:
    if image_file is None:
        return []
    if len(image_file) > MAX_IMAGE_FILE_LENGTH or not _IMAGE_FILE.fullmatch(image_file):
        return ["An image file is a plain file name or an http(s) address."]
    return []
