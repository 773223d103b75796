"""Check which systems are told about events, and the code of the operator."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from api.hooks import create_hooks
from cli.check.findings import Finding, ok, problem, warning
from cli.check.network import is_loopback
from domain.observer import SILENT
from settings import Settings

_WEBHOOKS = "WEBHOOKS"
_SECRETS = "WEBHOOK_SECRETS"


def webhooks(settings: Settings) -> Iterator[Finding]:
    """Say how many endpoints there are. Nothing is sent to them."""
    urls = [url.get_secret_value() for url in settings.webhooks]
    if not urls:
        yield ok(_WEBHOOKS, "not set: no system is told about events")
        return
    insecure = [str(number) for number, url in enumerate(urls, 1) if not _is_secure(url)]
    if insecure:
        yield problem(
            _WEBHOOKS, f"is not https at {', '.join(insecure)}: anyone can read the events"
        )
    else:
        yield ok(_WEBHOOKS, f"{len(urls)}; try them with `gatehouse webhooks test`")
    if len(settings.webhook_secrets) > 1:
        yield warning(
            _SECRETS,
            f"has {len(settings.webhook_secrets)}: remove the former ones when all endpoints know the new one",
        )
    else:
        yield ok(_SECRETS, "1")


def hooks(settings: Settings) -> Iterator[Finding]:
    names = create_hooks(settings, SILENT).names
    yield ok("HOOKS", f"{settings.hooks}: {', '.join(names)}" if names else "not set")


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")
