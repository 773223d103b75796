"""Sign in with a provider: which account an identity belongs to, and when a new one is created.

The rule (RFC 9700, OWASP ASVS 5, 6.8.1): an identity that is linked signs in. Otherwise its email
decides, and only if the provider says that it is verified may it lead to an existing account. If
that account has not verified the email itself, someone else may have made it to share it with the
owner later, so `prove_ownership` removes all that gave access to it.
"""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.errors import violated_constraint
from db.models import User
from domain import emails, events, security_events, sessions, usernames
from domain.accounts import invitations
from domain.accounts.registration import new_user, require_allowed
from domain.accounts.users import email_problems, unique_violations_as_errors
from domain.authentication import providers
from domain.authentication.complete import complete, require_complete
from domain.authentication.lock import lock_user
from domain.authentication.outcomes import reported
from domain.authentication.ownership import prove_ownership
from domain.authentication.providers import FoundCode
from domain.authentication.providers.codes import WRONG_CODE
from domain.authentication.providers.identities import new_identity
from domain.devices import Device
from domain.emails import Address
from domain.errors import (
    Challenge,
    EmailNotVerified,
    EmailTaken,
    InvalidCode,
    InvalidInput,
    UsernameRequired,
    raise_invalid,
)
from domain.events import EventType
from domain.mail.languages import preferred_language
from domain.providers import Profile
from domain.security_events import EventKind
from domain.services import RegistrationMode, Services
from domain.sessions import LoginMethod, SignedIn
from domain.text import trim

NO_EMAIL = "The provider says no email of yours. Allow it to, or sign up with an email."

TAKEN = "An account with this email already exists. Log in and link the provider in your profile."

# Not registered (RFC 8176), but the word that others use for a federated sign-in.
_AMR = ("fed",)


async def finish_sign_in(
    services: Services, device: Device, *, code: str, code_verifier: str, username: str | None
) -> SignedIn:
    """Start a session for the identity of a code, or create its account, which needs a username.

    An invalid or taken username leaves the code good for another one, for ten minutes.

    Raises InvalidCode, SecondFactorRequired, RegistrationClosed, InvalidInput, UsernameRequired
    with a suggestion, UsernameTaken, EmailTaken, EmailNotVerified, QuotaExceeded,
    TooManyAttempts or HookFailed.
    """
    found = await providers.find_code(services, device, code=code, code_verifier=code_verifier)
    with reported(services, found.provider):
        if found.linked_to is not None:
            raise InvalidCode("code", WRONG_CODE)
        outcome = await _sign_in(services, device, found)
        if outcome is None:
            outcome = await _register_or_sign_in(services, device, found, username)
        return require_complete(outcome)


async def _sign_in(
    services: Services, device: Device, found: FoundCode
) -> SignedIn | Challenge | None:
    """Sign in to the account of an identity or of a verified email, or return None if there is
    none."""
    try:
        return await _sign_in_once(services, device, found)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_identities_issuer":
            raise
        # Another request has linked it meanwhile.
        return await _sign_in_once(services, device, found)


@retried
async def _sign_in_once(
    services: Services, device: Device, found: FoundCode
) -> SignedIn | Challenge | None:
    async with services.database.writing() as session:
        user, identity = None, await providers.find_identity(session, found.profile)
        if identity is not None:
            user = await lock_user(session, identity.user_id)
            # It may have been unlinked before the lock, and even have been linked to another user.
            identity = await providers.find_identity(session, found.profile)
            if identity is not None and (user is None or identity.user_id != user.id):
                raise InvalidCode("code", WRONG_CODE)
        if identity is None:
            user = await _owner_of_email(session, services, found.profile)
        if user is None:
            return None
        await providers.use(session, found)
        if identity is not None:
            identity.last_used_at, identity.email = datetime.now(UTC), found.profile.email
            # The operator may have given it another name.
            identity.provider = found.provider
        else:
            await prove_ownership(session, device, user)
            await providers.link(session, services, device, user, found)
        return await complete(
            session, services, device, user, method=LoginMethod.PROVIDER, amr=_AMR
        )


async def _owner_of_email(
    session: AsyncSession, services: Services, profile: Profile
) -> User | None:
    """Lock and return the user with the email of a profile. Raises EmailTaken if the provider does
    not say that it is verified, where everyone can learn that by registering."""
    if not profile.email_verified and services.registration is not RegistrationMode.OPEN:
        return None
    key = emails.key(profile.email) if profile.email else None
    user_id = await session.scalar(select(User.id).where(User.email_key == key))
    if user_id is None:
        return None
    if not profile.email_verified:
        error = EmailTaken("code")
        error.message, error.fields = TAKEN, {"code": [TAKEN]}
        raise error
    user = await lock_user(session, user_id)
    # The email may have changed before the lock.
    return user if user is not None and user.email_key == key else None


async def _register_or_sign_in(
    services: Services, device: Device, found: FoundCode, username: str | None
) -> SignedIn | Challenge:
    try:
        return await _register(services, device, found, username)
    except EmailTaken:
        # Another request has created the account meanwhile.
        outcome = await _sign_in(services, device, found)
        if outcome is None:
            raise
        return outcome


async def _register(
    services: Services, device: Device, found: FoundCode, username: str | None
) -> SignedIn:
    profile = found.profile
    address = emails.parse(profile.email) if profile.email else None
    await _require_open(services, profile, address)
    if address is None:
        raise InvalidInput(NO_EMAIL, fields={"code": [NO_EMAIL]})
    raise_invalid(code=email_problems(services, address))
    if services.requires_verified_email and not profile.email_verified:
        raise EmailNotVerified
    if username is None:
        await providers.extend(services, found)
        raise UsernameRequired(suggested_username(profile))
    # Without a limit, who has an identity could find out which usernames are taken.
    await services.rate_limiter.hit(services.rate_limiter.limits.registration, device.network)
    await providers.extend(services, found)
    raise_invalid(username=usernames.problems(username))
    await require_allowed(
        services,
        device,
        username,
        address,
        email_verified=profile.email_verified,
        provider=found.provider,
    )
    return await _create(services, device, found, username, address)


async def _require_open(services: Services, profile: Profile, address: Address | None) -> None:
    """Raise RegistrationClosed unless accounts can be created. An invitation for an email counts if
    the provider says that the email is verified."""
    invited = (
        services.registration is RegistrationMode.INVITE
        and address is not None
        and profile.email_verified
        and await invitations.is_invited(services, address)
    )
    invitations.require_open(services, invited=invited)


@retried
async def _create(
    services: Services, device: Device, found: FoundCode, username: str, address: Address
) -> SignedIn:
    locale = preferred_language(device.accept_language)
    user = new_user(username, address, None, locale)
    if found.profile.email_verified:
        user.email_verified_at = datetime.now(UTC)
    async with (
        unique_violations_as_errors(services.database, user.id, username, email_field="code"),
        services.database.writing(to_replica=True) as session,
    ):
        await providers.use(session, found)
        await invitations.use_of_address(session, services, address)
        session.add(user)
        await session.flush()
        session.add(new_identity(user.id, found))
        await session.flush()
        security_events.record(session, EventKind.REGISTERED, device, user_id=user.id)
        if user.email_verified_at is not None:
            events.publish(session, EventType.USER_VERIFIED, user_id=user.id)
        return await sessions.start(
            session, services, device, user, method=LoginMethod.PROVIDER, amr=_AMR
        )


def suggested_username(profile: Profile) -> str | None:
    """Return a username made of what the provider calls the user, or None. It may be taken."""
    local_part = (profile.email or "").partition("@")[0]
    for hint in (profile.name_hint or "", local_part):
        letters = [char if char.isascii() and char.isalnum() else "." for char in trim(hint)]
        words = [word for word in "".join(letters).split(".") if word]
        suggestion = ".".join(words)[: usernames.MAX_LENGTH].rstrip(".")
        if not usernames.problems(suggestion):
            return suggestion
    return None
