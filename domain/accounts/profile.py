"""What a person changes about their account."""

import re
from typing import TypedDict

from db.models import User
from domain import emails, security_events, sessions, usernames
from domain.access_tokens.tokens import Caller
from domain.accounts.users import (
    email_problems,
    naming_what_is_taken,
    set_email,
    set_username,
)
from domain.authentication.reauthentication import prove_password
from domain.devices import Client
from domain.errors import refuse
from domain.security_events import EventKind
from domain.services import Gate

MAX_IMAGE_FILE_LENGTH = 2048

# A frontend puts this into `src` or `href`, where "javascript:" would run.
_IMAGE_FILE = re.compile(r"https?://[!-~]+|[A-Za-z0-9_-][A-Za-z0-9._-]*")


class ProfileChanges(TypedDict, total=False):
    """What a person may change about their account; a key that is absent leaves things as they are."""

    username: str
    email: str
    image_file: str | None


async def update_profile(
    gate: Gate,
    client: Client,
    caller: Caller,
    changes: ProfileChanges,
    *,
    current_password: str | None,
) -> User:
    """Change what is named in ``changes``; a new email needs the current password.

    Raises InvalidInput, InvalidCredentials, UsernameTaken, EmailTaken, TooManyAttempts, Overloaded, SessionEnded.
    """
    new_name = changes.get("username")
    address = emails.parse(changes["email"]) if "email" in changes else None
    refuse(
        username=[] if new_name is None else usernames.problems(new_name),
        email=email_problems(address) if "email" in changes else [],
        image_file=_image_file_problems(changes.get("image_file")),
    )
    if new_name is not None or address is not None:
        # What is taken would be told as often as asked.
        await gate.throttle.admit(gate.throttle.ceilings.registration, client.network)
    proven_hash = None
    if address is not None and current_password is not None:
        async with gate.database.reading() as session:
            user = await sessions.authorize(session, caller, with_secrets=True)
        proven_hash = await prove_password(
            gate, client, caller, user, current_password, field="current_password"
        )
    async with (
        naming_what_is_taken(gate.database, caller.user_id, new_name),
        gate.database.writing() as session,
    ):
        user = await sessions.authorize(session, caller, lock="to change", with_secrets=True)
        if address is not None and user.email_key != address.key:
            # The hash is compared under the lock: the password may have been changed since it was proven.
            if user.password_hash != proven_hash:
                refuse(current_password=["A new email needs your current password."])
            set_email(user, address)
            security_events.record(
                session,
                EventKind.EMAIL_CHANGED,
                client,
                user_id=user.id,
                session_id=caller.session_id,
            )
        if new_name is not None:
            set_username(user, new_name)
        if "image_file" in changes:
            user.image_file = changes["image_file"]
    return user


def _image_file_problems(image_file: str | None) -> list[str]:
    if image_file is None:
        return []
    if len(image_file) > MAX_IMAGE_FILE_LENGTH or not _IMAGE_FILE.fullmatch(image_file):
        return ["An image file is a plain file name or an http(s) address."]
    return []
