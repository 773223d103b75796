"""Register an account."""

from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.orm.attributes import set_committed_value

from db.database import retried
from db.models import User
from domain import emails, events, passwords, sessions, usernames
from domain.accounts import invitations
from domain.accounts.email_verification import add_mail
from domain.accounts.users import (
    email_problems,
    set_email,
    set_username,
    unique_violations_as_errors,
)
from domain.authentication.captcha import require_captcha
from domain.authentication.mail_requests import count_request
from domain.devices import Device
from domain.emails import Address
from domain.errors import EmailNotVerified, TooManyAttempts, raise_invalid
from domain.events import EventType
from domain.hooks import Draft
from domain.ids import new_id
from domain.mail.languages import preferred_language
from domain.mail.mailer import Mailer
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.text import trim


async def register(
    services: Services,
    device: Device,
    *,
    username: str,
    email: str,
    password: str,
    captcha: str | None = None,
    invitation: str | None = None,
) -> SignedIn:
    """Create an account, start its first session and send a mail to verify its email, if the
    server sends mail. The token of an ``invitation`` has proven the email.

    Raises RegistrationClosed, EmailNotVerified if the server wants the email proven first,
    InvalidInput, InvalidCode for the invitation, CaptchaRequired, CaptchaUnavailable,
    UsernameTaken, EmailTaken, TooManyAttempts, Overloaded or HookFailed.
    """
    invitations.require_open(services, invited=invitation is not None)
    if services.requires_verified_email and invitation is None:
        raise EmailNotVerified
    address = require_valid(services, username, email, password)
    if invitation is not None:
        await invitations.require_for(services, invitation, address)
    await require_captcha(services, device, captcha)
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(services.rate_limiter.limits.registration, device.network)
        password_hash = await hasher.hash(password)
    await require_allowed(
        services, device, username, address, email_verified=invitation is not None
    )
    await passwords.require_unbreached(services.breached_passwords, password)
    mailer = None if invitation else await _mailer_for(services, device, address)
    return await _add(services, mailer, device, username, address, password_hash, invitation)


def require_valid(services: Services, username: str, email: str, password: str | None) -> Address:
    """Return the address of a new account. Raises InvalidInput."""
    address = emails.parse(email)
    raise_invalid(
        username=usernames.problems(username),
        email=email_problems(services, address),
        password=[]
        if password is None
        else passwords.problems(password, username=username, email=email),
    )
    assert address is not None
    return address


async def require_allowed(
    services: Services,
    device: Device,
    username: str,
    address: Address,
    *,
    email_verified: bool = False,
    provider: str | None = None,
) -> None:
    """Call the hook `before_register`, outside of a transaction and after the rate limits. Raises
    InvalidInput, or HookFailed."""
    await services.hooks.before_register(
        Draft(trim(username), address.text, email_verified, provider, device.ip)
    )


def new_user(
    username: str, address: Address, password_hash: str | None, locale: str | None
) -> User:
    user = User(
        id=new_id(),
        password_hash=password_hash,
        image_file=None,
        locale=locale,
        created_at=datetime.now(UTC),
    )
    set_username(user, username)
    set_email(user, address)
    # Not a column, so it would have to be read for the token of the first session.
    set_committed_value(user, "role_names", None)
    return user


async def _mailer_for(services: Services, device: Device, address: Address) -> Mailer | None:
    """Count the mail. Return None if the address or the network has had too many: the user can
    request one later."""
    if services.mailer is not None:
        with suppress(TooManyAttempts):
            await count_request(services, device, address.key)
            return services.mailer
    return None


@retried
async def _add(
    services: Services,
    mailer: Mailer | None,
    device: Device,
    username: str,
    address: Address,
    password_hash: str,
    invitation: str | None,
) -> SignedIn:
    user = new_user(
        username, address, password_hash, locale=preferred_language(device.accept_language)
    )
    async with (
        unique_violations_as_errors(services.database, user.id, username),
        services.database.writing(to_replica=True) as session,
    ):
        if invitation is not None:
            await invitations.use(session, services, invitation, address)
            user.email_verified_at = datetime.now(UTC)
        session.add(user)
        await session.flush()
        if user.email_verified_at is not None:
            events.publish(session, EventType.USER_VERIFIED, user_id=user.id)
        if mailer is not None:
            add_mail(session, mailer, user)
        return await sessions.start(
            session, services, device, user, method=LoginMethod.REGISTRATION, amr=["pwd"]
        )
