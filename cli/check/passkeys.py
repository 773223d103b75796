"""Check the domain that passkeys belong to, and which pages can use them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.check.findings import Finding, ok, warning
from cli.check.network import is_loopback
from settings import Settings

_ID = "PASSKEY_RP_ID"
_ORIGINS = "PASSKEY_ORIGINS"

# Browsers read at least five names of other domains (WebAuthn Level 3, section 5.11).
_MAX_RELATED = 5


def passkeys(settings: Settings) -> Iterator[Finding]:
    id = settings.relying_party_id
    if id is None:
        host = urlsplit(settings.links_url).hostname
        yield warning(
            _ID, f"is not set, and {host} is an IP address: no one can have a passkey; set a domain"
        )
        return
    if is_loopback(id):
        yield warning(_ID, f"is {id}: only pages on a user's own machine can use passkeys")
    else:
        yield ok(_ID, f"{id}; never change it: passkeys would stop working")
    yield from _origins(settings, id)


def _origins(settings: Settings, id: str) -> Iterator[Finding]:
    origins = settings.relying_party_origins
    insecure = [origin for origin in origins if not _is_secure(origin)]
    related = [origin for origin in origins if _is_secure(origin) and not _is_within(origin, id)]
    if insecure:
        yield warning(
            _ORIGINS,
            f"has {', '.join(insecure)}: browsers have passkeys only on https and on localhost",
        )
    if related:
        yield _related(settings, id, related)
    if not insecure and not related:
        yield ok(_ORIGINS, ", ".join(origins))


def _related(settings: Settings, id: str, related: list[str]) -> Finding:
    """Say what browsers need to accept pages of other domains, which they read from the host that
    the passkeys belong to."""
    address = f"https://{id}/.well-known/webauthn"
    listed = ", ".join(related)
    if len({urlsplit(origin).hostname for origin in related}) > _MAX_RELATED:
        return warning(
            _ORIGINS,
            f"has {len(related)} origins outside of {id}: browsers may read {_MAX_RELATED} of them",
        )
    if settings.issuer == f"https://{id}":
        return ok(_ORIGINS, f"{listed}, outside of {id}: {address} lists them")
    return warning(
        _ORIGINS,
        f"has {listed}, outside of {id}: make sure that {address} returns what this server does",
    )


def _is_secure(origin: str) -> bool:
    url = urlsplit(origin)
    return url.scheme == "https" or (url.scheme == "http" and url.hostname == "localhost")


def _is_within(origin: str, id: str) -> bool:
    host = urlsplit(origin).hostname or ""
    return host == id or host.endswith(f".{id}")
