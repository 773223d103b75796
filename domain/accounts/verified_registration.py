"""Register an account whose owner proves first that they read mail at its email.

Until then there is no account: a ticket holds what it will have. So the address of another person
cannot be registered to share the account with them later, and the answer does not reveal whether an
address has an account (OWASP ASVS 5, 6.3.8).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from db.database import retried
from db.models import User
from domain import events, passwords, sessions, tickets, usernames
from domain.accounts import invitations
from domain.accounts.registration import new_user, require_allowed, require_valid
from domain.accounts.users import email_problems, unique_violations_as_errors
from domain.authentication.captcha import require_captcha
from domain.authentication.mail_requests import LIFETIME, MailRequest, add_proof_mail, count_request
from domain.devices import Device
from domain.emails import Address
from domain.errors import InvalidCode, UsernameTaken, raise_invalid
from domain.events import EventType
from domain.mail import Template
from domain.mail.languages import preferred_language
from domain.mail.mailer import RECIPIENT, Mailer, Recipient
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import NewTicket, TicketKind

_KIND = TicketKind.REGISTRATION


async def start_registration(
    services: Services,
    device: Device,
    *,
    username: str,
    email: str,
    password: str | None,
    captcha: str | None = None,
) -> MailRequest:
    """Send a code to the address of a new account, or tell its owner if it has one. Without a
    password, the account gets none: its owner adds a passkey once it is created.

    Which of the two it is shows neither in the answer nor in its time: the hash and the transaction
    are the same. Whether the username is taken is told at the end, to who has proven the address.

    Raises RegistrationClosed, InvalidInput, CaptchaRequired, CaptchaUnavailable, TooManyAttempts,
    Overloaded, MailNotConfigured or HookFailed.
    """
    invitations.require_open(services, invited=False)
    mailer = services.require_mailer()
    address = require_valid(services, username, email, password)
    await require_captcha(services, device, captcha)
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(services.rate_limiter.limits.registration, device.network)
        password_hash = None if password is None else await hasher.hash(password)
    await require_allowed(services, device, username, address)
    if password is not None:
        await passwords.require_unbreached(services.breached_passwords, password)
    # Last: with another password, the address may be used again at once.
    retry_after = await count_request(services, device, address.key)
    account = {
        "username": username,
        "email": address.text,
        "email_key": address.key,
        "password_hash": password_hash,
        "locale": preferred_language(device.accept_language),
    }
    new = await _add_ticket(services, mailer, account)
    return MailRequest(new.value, LIFETIME, retry_after)


async def finish_registration(
    services: Services, device: Device, *, ticket: str, code: str, username: str | None = None
) -> SignedIn:
    """Create the account of a ticket with the code of its mail, and start its first session.

    A username that is taken does not use the ticket: another one can be given.

    Raises RegistrationClosed, InvalidCode, InvalidInput, UsernameTaken, EmailTaken if the address
    has got an account since the start, TooManyAttempts, MailNotConfigured or HookFailed.
    """
    invitations.require_open(services, invited=False)
    mailer = services.require_mailer()
    raise_invalid(username=[] if username is None else usernames.problems(username))
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    account = await _account_of(services, ticket)
    raise_invalid(code=email_problems(services, _address_of(account)))
    # For the address: a new ticket gives no more attempts (NIST SP 800-63B-4 section 3.1.3.2).
    attempts = (limiter.limits.code, _KIND, account["email_key"])
    await limiter.hit(*attempts)
    if username is not None:
        # Without a limit, its owner could find out which usernames are taken.
        await limiter.hit(limiter.limits.registration, device.network)
        account["username"] = username
    # Again: this is the time when the account is created, and it may have another username.
    await require_allowed(
        services, device, account["username"], _address_of(account), email_verified=True
    )
    try:
        signed_in = await _finish(services, mailer, device, ticket, code, account)
    except UsernameTaken:
        # The code was right, and is needed for another username.
        await limiter.reset(*attempts)
        raise
    # After the commit, which counts the wrong attempt.
    if signed_in is None:
        raise InvalidCode("code")
    return signed_in


@retried
async def _add_ticket(services: Services, mailer: Mailer, account: dict[str, Any]) -> NewTicket:
    async with services.database.writing() as session:
        owner = await session.scalar(
            select(User).where(User.email_key == account["email_key"]).options(*RECIPIENT)
        )
        new = tickets.create(session, _KIND, lifetime=LIFETIME, state=account)
        template = Template.REGISTRATION_EXISTS if owner else Template.REGISTRATION_CODE
        to = owner or Recipient(account["email"], account["locale"])
        add_proof_mail(session, mailer, template, to, new)
    return new


async def _account_of(services: Services, ticket: str) -> dict[str, Any]:
    """Return what the account of a ticket will have. Raises InvalidCode."""
    async with services.database.reading() as session:
        pending = await tickets.find_kept(session, _KIND, ticket)
    if pending is None:
        raise InvalidCode("code")
    return dict(pending.state)


def _address_of(account: dict[str, Any]) -> Address:
    return Address(account["email"], account["email_key"])


@retried
async def _finish(
    services: Services,
    mailer: Mailer,
    device: Device,
    ticket: str,
    code: str,
    account: dict[str, Any],
) -> SignedIn | None:
    """Use the ticket, or count a wrong attempt and return None."""
    user = new_user(
        account["username"],
        _address_of(account),
        account["password_hash"],
        account["locale"],
    )
    user.email_verified_at = datetime.now(UTC)
    async with (
        unique_violations_as_errors(services.database, user.id, user.username),
        services.database.writing(to_replica=True) as session,
    ):
        used = await tickets.use_code(session, mailer.keys, _KIND, ticket, code)
        if used is None:
            return None
        # The user has what it held.
        await session.delete(used)
        session.add(user)
        await session.flush()
        events.publish(session, EventType.USER_VERIFIED, user_id=user.id)
        return await sessions.start(
            session,
            services,
            device,
            user,
            method=LoginMethod.REGISTRATION,
            amr=["pwd"] if user.password_hash else ["email"],
        )
