"""The way to a provider and back."""

import base64
import hashlib
import hmac
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from db.database import retried
from db.models import Ticket
from domain import tickets
from domain.authentication.providers.codes import create_code, require_challenge
from domain.devices import Device
from domain.errors import InvalidCode, InvalidInput, NotFound
from domain.providers import Profile, Provider, ProviderError, ProviderFailure, error_codes
from domain.providers.pkce import challenge_of
from domain.providers.time_limit import in_time
from domain.redirects import with_parameters
from domain.services import Services
from domain.tickets import TicketKind

logger = logging.getLogger("gatehouse")

LIFETIME = timedelta(minutes=10)

_KIND = TicketKind.PROVIDER_FLOW

#: The outcome where a user declines at the provider.
DECLINED = "ACCESS_DENIED"

# What the frontend reads in `error`.
_ERRORS = {
    ProviderFailure.UNAVAILABLE: "provider_unavailable",
    ProviderFailure.REFUSED: "provider_refused",
    ProviderFailure.INVALID: "provider_invalid",
}


@dataclass(frozen=True, slots=True)
class Callback:
    """The parameters of a callback (RFC 6749 section 4.1.2, RFC 9207), and the cookie that came
    with it."""

    state: str = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None
    issuer: str | None
    cookie: str | None = field(repr=False)


def provider_named(services: Services, name: str) -> Provider:
    """Return a provider by its name in the settings. Raises NotFound."""
    provider = services.providers.get(name)
    if provider is None:
        raise NotFound("This server has no such provider.")
    return provider


async def start_flow(
    services: Services,
    device: Device,
    *,
    provider: str,
    redirect_to: str,
    code_challenge: str,
    linked_to: tuple[UUID, UUID] | None = None,
) -> str:
    """Return the state of a new flow, which `to_provider` takes. ``linked_to`` is the user and the
    session that want to link the identity.

    Raises NotFound, InvalidInput or TooManyAttempts.
    """
    provider_named(services, provider)
    if not services.redirects.allows(redirect_to):
        message = "This address is not in REDIRECT_ALLOWLIST."
        raise InvalidInput(fields={"redirect_to": [message]})
    require_challenge(code_challenge)
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.ticket, device.network)
    user_id, session_id = linked_to or (None, None)
    state: dict[str, object] = {
        "provider": provider,
        "redirect_to": redirect_to,
        "code_challenge": code_challenge,
        "user_id": user_id and str(user_id),
        "session_id": session_id and str(session_id),
        # Set by `to_provider`.
        "cookie_hash": None,
    }
    return await _create(services, state)


async def to_provider(
    services: Services, *, provider: str, state: str, redirect_uri: str, cookie: str
) -> str:
    """Bind a flow to the browser that has the cookie, and return the address to send it to: the
    provider's or, if that is away, the frontend's with an error.

    Raises InvalidCode for a flow that is not valid, was bound before or has expired.
    """
    ticket = await _bind(services, provider, state, cookie)
    try:
        return await provider_named(services, provider).authorization_url(
            redirect_uri=redirect_uri,
            state=state,
            nonce=_derived(services, "nonce", ticket),
            code_challenge=challenge_of(_derived(services, "verifier", ticket)),
        )
    except ProviderError as error:
        return _failed(services, ticket, error)


async def take_callback(
    services: Services, *, provider: str, callback: Callback, redirect_uri: str
) -> str:
    """Return the frontend's address with a code for what the provider says, or with an error.

    A state works once, for the provider that it was made for, and only with the cookie of its
    browser if one comes with it: some browsers lose cookies on the way, and the frontend's verifier
    binds the exchange all the same.

    Raises InvalidCode for a state that is not valid: where its browser came from is then unknown.
    """
    ticket = await _use(services, provider, callback)
    if callback.error in error_codes.DECLINED:
        services.observer.sign_in_ended(provider, DECLINED)
        return with_parameters(ticket.state["redirect_to"], error="access_denied")
    if callback.code is None:
        return _failed(services, ticket, error_codes.of_callback(callback.error))
    found = provider_named(services, provider)
    exchange = found.profile(
        code=callback.code,
        redirect_uri=redirect_uri,
        code_verifier=_derived(services, "verifier", ticket),
        nonce=_derived(services, "nonce", ticket),
        issuer=callback.issuer,
    )
    try:
        profile = await in_time(found.time_limit, exchange)
    except ProviderError as error:
        return _failed(services, ticket, error)
    code = await _add_code(services, ticket, profile)
    return with_parameters(ticket.state["redirect_to"], code=code)


@retried
async def _create(services: Services, state: dict[str, object]) -> str:
    async with services.database.writing() as session:
        return tickets.create(session, _KIND, lifetime=LIFETIME, state=state).value


async def _bind(services: Services, provider: str, state: str, cookie: str) -> Ticket:
    # Read first: made-up states must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        ticket = await tickets.find_kept(session, _KIND, state)
    if ticket is None or ticket.state["provider"] != provider:
        raise InvalidCode("state")
    return await _bind_once(services, ticket.id, cookie)


@retried
async def _bind_once(services: Services, id: UUID, cookie: str) -> Ticket:
    async with services.database.writing() as session:
        # Locked: of two browsers with one state, the first is the one that can come back.
        ticket = await session.get(Ticket, id, with_for_update=True)
        if ticket is None or ticket.state["cookie_hash"] is not None:
            raise InvalidCode("state")
        ticket.state = {**ticket.state, "cookie_hash": _hash(cookie)}
    return ticket


async def _use(services: Services, provider: str, callback: Callback) -> Ticket:
    # Read first: made-up states must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        ticket = await tickets.find_kept(session, _KIND, callback.state)
    if (
        ticket is None
        or ticket.state["provider"] != provider
        or ticket.state["cookie_hash"] is None
        or not _is_same_browser(ticket, callback.cookie)
    ):
        raise InvalidCode("state")
    return await _use_once(services, ticket)


@retried
async def _use_once(services: Services, ticket: Ticket) -> Ticket:
    async with services.database.writing() as session:
        used = await tickets.use(session, ticket)
    if used is None:
        raise InvalidCode("state")
    return used


@retried
async def _add_code(services: Services, ticket: Ticket, profile: Profile) -> str:
    async with services.database.writing() as session:
        return create_code(session, ticket, profile)


def _failed(services: Services, ticket: Ticket, error: ProviderError) -> str:
    """Log why a provider failed, and return the frontend's address with what it may know."""
    name = ticket.state["provider"]
    logger.warning("The provider %s failed: %s", name, error)
    services.observer.sign_in_ended(name, f"PROVIDER_{error.failure}")
    return with_parameters(ticket.state["redirect_to"], error=_ERRORS[error.failure])


def _is_same_browser(ticket: Ticket, cookie: str | None) -> bool:
    return cookie is None or hmac.compare_digest(_hash(cookie), ticket.state["cookie_hash"])


def _derived(services: Services, purpose: str, ticket: Ticket) -> str:
    """Return the nonce or the PKCE verifier of a flow. They are computed, so that no row has
    them."""
    mac = services.require_data_keys().mac(f"{purpose} of a provider's flow", ticket.id.bytes)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
