"""Update a profile."""

import re
from typing import TypedDict

from db.database import retried
from db.models import User
from domain import emails, security_events, sessions, tickets, usernames
from domain.access_tokens.tokens import Caller
from domain.accounts.users import (
    email_problems,
    publish_if_changed,
    set_email,
    set_username,
    unique_violations_as_errors,
)
from domain.authentication.reauthentication import lock_proved, prove
from domain.devices import Device
from domain.errors import raise_invalid
from domain.mail.languages import LANGUAGES, find_language, language_of
from domain.security_events import EventKind
from domain.services import Services
from domain.tickets import TicketKind

MAX_IMAGE_FILE_LENGTH = 2048

# A frontend puts this into `src` or `href`, where "javascript:" would run.
_IMAGE_FILE = re.compile(r"https?://[!-~]+|[A-Za-z0-9_-][A-Za-z0-9._-]*")


class ProfileChanges(TypedDict, total=False):
    """The fields to change. A missing key leaves the field as it is."""

    username: str
    email: str
    image_file: str | None
    locale: str


@retried
async def update_profile(
    services: Services,
    device: Device,
    caller: Caller,
    changes: ProfileChanges,
    *,
    current_password: str | None,
) -> User:
    """Apply all of the changes or, on an error, none. A new email needs the current password or a
    recent proof. It is invalid where the server sends mail: `request_email_change` has it proven.

    Raises InvalidInput, ReauthenticationRequired, InvalidCredentials, UsernameTaken, EmailTaken,
    PasswordResetRequired, Forbidden, TooManyAttempts, Overloaded or SessionEnded.
    """
    new_name = changes.get("username")
    address = emails.parse(changes["email"]) if "email" in changes else None
    raise_invalid(
        username=[] if new_name is None else usernames.problems(new_name),
        email=[] if address or "email" not in changes else [emails.INVALID_EMAIL],
        image_file=image_file_problems(
            changes.get("image_file"), allows_urls=services.allows_image_urls
        ),
        locale=_locale_problems(changes.get("locale")),
    )
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True, as_owner=True)
    await services.rate_limiter.hit(services.rate_limiter.limits.write, str(caller.user_id))
    if new_name is not None or address is not None:
        # Without a limit, a caller could find out which usernames and emails are taken.
        await services.rate_limiter.hit(services.rate_limiter.limits.registration, device.network)
    proof = None
    is_new = address is not None and user.email_key != address.key
    if is_new:
        raise_invalid(email=email_problems(services, address))
    if is_new and services.mailer is not None:
        raise_invalid(email=["Use requestEmailChange to change the email."])
    if is_new or (address is not None and current_password is not None):
        proof = await prove(
            services, device, caller, password=current_password, field="current_password"
        )
    async with (
        unique_violations_as_errors(services.database, caller.user_id, new_name),
        services.database.writing(to_replica=True) as session,
    ):
        if proof is None:
            user, current = await sessions.lock_active(session, caller)
        else:
            user, current = await lock_proved(session, services, caller, proof)
        if proof is not None and address is not None and user.email_key != address.key:
            set_email(user, address)
            # Links and codes that were sent to the former address.
            await tickets.discard(session, user.id, list(TicketKind))
            security_events.record_in(session, EventKind.EMAIL_CHANGED, device, current)
        former_name = user.username
        _apply(user, changes)
        if user.username != former_name:
            security_events.record_in(session, EventKind.USERNAME_CHANGED, device, current)
        publish_if_changed(session, user, caller)
    return user


def _apply(user: User, changes: ProfileChanges) -> None:
    """Set all but the email, which takes a proof."""
    if "username" in changes:
        set_username(user, changes["username"])
    if "image_file" in changes:
        user.image_file = changes["image_file"]
    if "locale" in changes:
        user.locale = language_of(changes["locale"]).code


def image_file_problems(image_file: str | None, *, allows_urls: bool = True) -> list[str]:
    if image_file is None:
        return []
    if not allows_urls and ":" in image_file:
        return ["This server accepts no addresses of pictures. Upload the picture."]
    if len(image_file) > MAX_IMAGE_FILE_LENGTH or not _IMAGE_FILE.fullmatch(image_file):
        return ["An image file must be a file name or an http or https URL."]
    return []


def _locale_problems(locale: str | None) -> list[str]:
    if locale is None or find_language(locale):
        return []
    return [f"There are no mails in this language. Choose one of {', '.join(LANGUAGES)}."]
