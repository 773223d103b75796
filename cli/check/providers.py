"""Check the identity providers: how they are registered, whether they can be used, and where a
sign-in may return to."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from api.providers import create_providers, redirect_uri
from cli.check.files import exposures
from cli.check.findings import Finding, ok, problem, warning
from cli.check.network import is_loopback
from domain.providers import Provider, ProviderError
from settings import Settings

# In seconds, for each provider. All of them are asked at the same time.
TIMEOUT = 5.0

_ALLOWLIST = "REDIRECT_ALLOWLIST"

_MICROSOFT_USERS = {
    "common": "of every company and with personal accounts",
    "organizations": "of every company",
    "consumers": "with personal accounts",
}


def providers(settings: Settings) -> Iterator[Finding]:
    if not settings.providers:
        yield ok("PROVIDERS", "not set: users cannot sign in with a provider")
    for name in settings.providers:
        yield _redirect_address(settings, name)
        if name == "microsoft":
            yield _tenant(settings)
        if name == "apple":
            yield from _private_key(settings)


def provider_discovery(settings: Settings) -> Iterator[Finding]:
    """Read what each provider publishes. Nothing is sent that could change something there."""
    if not settings.providers:
        return
    for name, error in asyncio.run(_errors(settings)).items():
        yield problem(_item(name), error) if error else ok(_item(name), "can be used")


def redirect_allowlist(settings: Settings) -> Iterator[Finding]:
    """Check the addresses that a sign-in returns to. Others than https, those of applications and
    those of this machine are not accepted by the setting."""
    if not settings.providers:
        return
    addresses = settings.redirect_addresses
    wild = [address for address in addresses if "*" in address]
    local = [
        address for address in addresses if is_loopback(_host(address)) and address not in wild
    ]
    by_name = [address for address in local if not _is_for_applications(address)]
    if wild:
        yield problem(
            _ALLOWLIST,
            f"has {', '.join(wild)}: addresses are compared character by character; list each one",
        )
    if by_name:
        yield warning(
            _ALLOWLIST,
            f"has {', '.join(by_name)}: for development only; desktop applications use"
            " http://127.0.0.1 and http://[::1], with any port",
        )
    if not wild and not by_name:
        yield ok(_ALLOWLIST, ", ".join(addresses))


def _item(name: str) -> str:
    return f"PROVIDER_{name.upper()}"


def _redirect_address(settings: Settings, name: str) -> Finding:
    address = redirect_uri(settings.issuer, name)
    # Apple accepts no other, also in development.
    may_be_http = settings.environment == "development" and name != "apple"
    if address.startswith("https://") or may_be_http:
        return ok(_item(name), f"register exactly this redirect address: {address}")
    return problem(_item(name), f"its redirect address {address} is not https: set PUBLIC_URL")


def _tenant(settings: Settings) -> Finding:
    issuer = settings.provider_settings["microsoft"].issuer
    tenant = urlsplit(issuer).path.split("/")[1] if issuer else "common"
    users = _MICROSOFT_USERS.get(tenant, f"of the tenant {tenant}")
    return ok(
        "PROVIDER_MICROSOFT",
        f"users {users} can sign in; emails count as verified only with the claim xms_edov",
    )


def _private_key(settings: Settings) -> Iterator[Finding]:
    """Check who can read the key. It can sign, or the server would not start."""
    file = settings.provider_settings["apple"].private_key_file
    if file is None:
        return
    item = "PROVIDER_APPLE_PRIVATE_KEY_FILE"
    exposed = exposures([file], file.absolute().parent, item)
    yield from exposed or [ok(item, "can sign, and is not accessible to other users")]


async def _errors(settings: Settings) -> dict[str, str | None]:
    """Return what is wrong with each provider, or None."""
    found = create_providers(settings)
    errors = await asyncio.gather(*(_error(provider) for provider in found.values()))
    return dict(zip(found, errors, strict=True))


async def _error(provider: Provider) -> str | None:
    try:
        async with asyncio.timeout(TIMEOUT):
            await provider.check()
    except TimeoutError:
        return f"cannot be used: no complete answer within {TIMEOUT:g} seconds"
    except ProviderError as error:
        return f"cannot be used: {error.reason}"
    finally:
        await provider.close()
    return None


def _is_for_applications(address: str) -> bool:
    """Return whether an address is a desktop application's (RFC 8252 section 7.3). `localhost` may
    lead elsewhere (section 8.3)."""
    return urlsplit(address).scheme == "http" and _host(address) in ("127.0.0.1", "::1")


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""
