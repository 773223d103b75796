"""Sign in with a code by mail.

The six digits work only together with the ticket that the browser keeps which asked for them (OWASP
ASVS 5, 6.5.4 and 6.6.2). The link in the mail merely fills them in: a program that opens links, or
another reader of the mail, signs in to nothing. A mailed code is no second factor (NIST SP
800-63B-4 section 3.1.3.1).
"""

from uuid import UUID

from db.database import retried
from domain import security_events, tickets
from domain.authentication.attempts import counted_as, knows_network
from domain.authentication.complete import complete, require_complete
from domain.authentication.lock import lock_user
from domain.authentication.mail_requests import MailRequest, request_proof
from domain.authentication.outcomes import reported
from domain.authentication.ownership import prove_ownership
from domain.devices import Device
from domain.errors import Challenge, InvalidCode
from domain.mail.mailer import Mailer
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import TicketKind

_KIND = TicketKind.SIGN_IN


async def request_sign_in(
    services: Services, device: Device, *, email: str, captcha: str | None = None
) -> MailRequest:
    """Send a code to sign in to the user with this email, as `request_proof` says.

    Raises InvalidInput, CaptchaRequired, CaptchaUnavailable, TooManyAttempts or MailNotConfigured.
    """
    return await request_proof(
        services,
        device,
        email=email,
        captcha=captcha,
        kind=_KIND,
        template=Template.SIGN_IN_CODE,
        event=EventKind.SIGN_IN_CODE_REQUESTED,
    )


async def sign_in_by_mail(
    services: Services, device: Device, *, ticket: str, code: str
) -> SignedIn:
    """Start a session for the user who was sent this code, in the browser that has the ticket. It
    proves that they own their email.

    Attempts are counted as `counted_as` says, by the email. A new mail gives no more attempts, and
    none is forgiven (NIST SP 800-63B-4 section 3.1.3.2). What is no ticket, or a dead one, counts
    for the network alone.

    Raises InvalidCode, whatever was wrong; SecondFactorRequired, TooManyAttempts or
    MailNotConfigured.
    """
    with reported(services, LoginMethod.EMAIL_CODE):
        return await _sign_in_by_mail(services, device, ticket, code)


async def _sign_in_by_mail(services: Services, device: Device, ticket: str, code: str) -> SignedIn:
    mailer = services.require_mailer()
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    # Read first: made-up tickets must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        found = await tickets.find_kept(session, _KIND, ticket)
        is_known = await knows_network(session, found.user_id if found else None, device)
    if found is None:
        raise InvalidCode("code")
    key = counted_as(found.state["email_key"], device, knows_network=is_known)
    await limiter.hit(limiter.limits.code, _KIND, *key)
    outcome = await _sign_in(services, mailer, device, found.user_id, ticket, code)
    # After the commit, which counts the wrong attempt.
    if outcome is None:
        raise InvalidCode("code")
    return require_complete(outcome)


@retried
async def _sign_in(
    services: Services,
    mailer: Mailer,
    device: Device,
    user_id: UUID | None,
    value: str,
    code: str,
) -> SignedIn | Challenge | None:
    """Use the ticket and complete the sign-in, or count a wrong code and return None."""
    async with services.database.writing() as session:
        # The user first, as all commands do: tickets may be deleted under this lock.
        user = await lock_user(session, user_id)
        ticket = await tickets.use_code(session, mailer.keys, _KIND, value, code)
        # Unless the email has changed since the mail was sent.
        if ticket is None or user is None or user.email_key != ticket.state["email_key"]:
            security_events.record(session, EventKind.WRONG_CODE, device, user_id=user_id)
            return None
        await prove_ownership(session, device, user)
        return await complete(
            session, services, device, user, method=LoginMethod.EMAIL_CODE, amr=["email"]
        )
