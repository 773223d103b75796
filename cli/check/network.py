"""Check what other machines can reach, and how the addresses of clients are determined."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Literal

from cli.check.findings import Finding, ok, problem, warning
from settings import Settings

_HINTS: tuple[Literal["introspection", "suggestions"], ...] = ("introspection", "suggestions")

# The widest private networks: 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193).
_WIDEST_PREFIX = {4: 8, 6: 7}
# For public addresses. The networks that large proxy services publish are all narrower.
_WIDEST_PUBLIC_PREFIX = {4: 12, 6: 28}

_PROXIES = "TRUSTED_PROXIES"


def environment(settings: Settings) -> Iterator[Finding]:
    if settings.environment == "production":
        yield ok("ENVIRONMENT", "production")
    else:
        yield problem("ENVIRONMENT", f"is {settings.environment}: set it to production")


def tools(settings: Settings) -> Iterator[Finding]:
    if settings.allows("graphiql"):
        yield problem("GRAPHIQL", "is on: this page is for developers; unset it or set it to false")
    else:
        yield ok("GRAPHIQL", "off")
    for tool in _HINTS:
        if settings.allows(tool):
            yield warning(
                tool.upper(), "is on: unknown clients can find out what the schema contains"
            )
        else:
            yield ok(tool.upper(), "off")


def public_url(settings: Settings) -> Iterator[Finding]:
    if settings.public_url is None:
        yield problem(
            "PUBLIC_URL",
            f"is not set: tokens name {settings.issuer} as their issuer; set it to https://...",
        )
    elif not settings.public_url.startswith("https://"):
        yield problem("PUBLIC_URL", "is not https: passwords and tokens would be sent unencrypted")
    else:
        yield ok("PUBLIC_URL", settings.public_url)


def address(settings: Settings) -> Iterator[Finding]:
    if _is_loopback(settings.host):
        yield ok("HOST", f"{settings.host}, reachable from this machine only")
    elif not settings.trusted_proxies:
        yield warning(
            "HOST",
            f"is {settings.host}: clients can connect without TLS; put a proxy in front",
        )
    else:
        yield ok("HOST", f"{settings.host}; make sure that only the proxies can reach it")


def metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_port is not None and not _is_loopback(settings.metrics_host):
        yield warning(
            "METRICS_HOST",
            f"is {settings.metrics_host}: make sure that only Prometheus can reach it",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxies(settings: Settings) -> Iterator[Finding]:
    wide = [network for network in settings.trusted_proxies if _is_wide(network)]
    if wide:
        yield problem(
            _PROXIES,
            f"trusts {', '.join(wide)}: clients in such a network could claim any address",
        )
    elif not settings.trusted_proxies:
        yield warning(
            _PROXIES, "is not set: behind a proxy, all clients share the same rate limits"
        )
    else:
        yield ok(_PROXIES, ", ".join(settings.trusted_proxies))


def _is_wide(text: str) -> bool:
    network = ip_network(text)
    widest = _WIDEST_PUBLIC_PREFIX if network.is_global else _WIDEST_PREFIX
    return network.prefixlen < widest[network.version]


def origins(settings: Settings) -> Iterator[Finding]:
    insecure = [origin for origin in settings.cors_origins if origin.startswith("http://")]
    if insecure:
        yield problem(
            "CORS_ORIGINS",
            f"has {', '.join(insecure)}: an attacker on the network can change pages loaded over http",
        )
    if "*" in settings.cors_origins:
        yield problem("CORS_ORIGINS", "is *, which allows any website: list your own origins")
    if not insecure and "*" not in settings.cors_origins:
        yield ok("CORS_ORIGINS", ", ".join(settings.cors_origins) or "none")
