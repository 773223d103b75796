"""Check the services that keep abuse out, and who can create an account."""

import asyncio
from collections.abc import Iterator

from api.services import create_breached_passwords, create_captcha
from cli.check.findings import Finding, ok, problem, warning
from domain.http import RequestFailed
from domain.observer import SILENT
from settings import Settings

_BREACHES = "BREACHED_PASSWORDS_URL"
_VERIFIER = "CAPTCHA_VERIFY_URL"

# Of no widget, so that no service knows it.
_TOKEN = "gatehouse check"


def breached_passwords(settings: Settings) -> Iterator[Finding]:
    """Look a made-up password up."""
    if settings.breached_passwords_url is None:
        yield ok(_BREACHES, "not set: new passwords are not looked up in known breaches")
        return
    error = asyncio.run(_look_up(settings))
    if error:
        yield problem(_BREACHES, f"cannot be used: {error}; passwords are accepted unchecked")
    else:
        yield ok(_BREACHES, settings.breached_passwords_url)


def captcha(settings: Settings) -> Iterator[Finding]:
    """Verify a made-up token, which a service has to refuse."""
    if settings.captcha_verify_url is None:
        yield ok(_VERIFIER, "not set: no captcha is required")
        return
    yield asyncio.run(_verify(settings))
    if settings.account_pages:
        yield warning(
            "ACCOUNT_PAGES",
            "are on, and show no captcha: users can sign up in your own application only",
        )


def registration(settings: Settings) -> Iterator[Finding]:
    yield ok("REGISTRATION", settings.registration)
    allowed, blocked = settings.allowed_email_domains, settings.blocked_email_domains
    if set(allowed) & set(blocked):
        listed = ", ".join(sorted(set(allowed) & set(blocked)))
        yield problem("BLOCKED_EMAIL_DOMAINS", f"has {listed}, as ALLOWED_EMAIL_DOMAINS")
    else:
        yield ok("ALLOWED_EMAIL_DOMAINS", ", ".join(allowed) or "not set: all are allowed")
        yield ok("BLOCKED_EMAIL_DOMAINS", ", ".join(blocked) or "not set: none is blocked")


async def _look_up(settings: Settings) -> str | None:
    """Return why the service cannot be used, or None."""
    breached = create_breached_passwords(settings, SILENT)
    assert breached is not None
    try:
        await breached.ending("00000")
    except RequestFailed as error:
        return str(error)
    finally:
        await breached.close()
    return None


async def _verify(settings: Settings) -> Finding:
    verifier = create_captcha(settings, SILENT)
    assert verifier is not None
    try:
        errors = await verifier.errors(_TOKEN, None)
    except RequestFailed as error:
        return problem(_VERIFIER, f"cannot be used: {error}; no one can register")
    finally:
        await verifier.close()
    if errors is None:
        return problem(_VERIFIER, "accepts every token: use a secret that is not for tests")
    if any("secret" in code for code in errors):
        return problem("CAPTCHA_SECRET", "is not accepted by the service; no one can register")
    return ok(_VERIFIER, str(settings.captcha_verify_url))
