"""What the outside can see, and whom it is taken for."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Literal

from cli.check.findings import Finding, ok, problem, warning
from settings import Settings

_HINTS: tuple[Literal["introspection", "suggestions"], ...] = ("introspection", "suggestions")

# The widest that belongs to one network in private use: 10.0.0.0/8, and fc00::/7 (RFC 1918, RFC 4193).
_WIDEST_PREFIX = {4: 8, 6: 7}
# And of public addresses: of what the large proxy services publish as theirs, none is as wide.
_WIDEST_PUBLIC_PREFIX = {4: 12, 6: 28}

_PROXIES = "TRUSTED_PROXIES"


def environment(settings: Settings) -> Iterator[Finding]:
    if settings.environment == "production":
        yield ok("ENVIRONMENT", "production")
    else:
        yield problem("ENVIRONMENT", f"is {settings.environment}: set production")


def tools(settings: Settings) -> Iterator[Finding]:
    if settings.allows("graphiql"):
        yield problem("GRAPHIQL", "is on, a page for developers: leave it unset, or false")
    else:
        yield ok("GRAPHIQL", "off")
    for tool in _HINTS:
        if settings.allows(tool):
            yield warning(tool.upper(), "is on, and tells strangers what there is to ask for")
        else:
            yield ok(tool.upper(), "off")


def public_url(settings: Settings) -> Iterator[Finding]:
    if settings.public_url is None:
        yield problem(
            "PUBLIC_URL",
            f"is not set: tokens name {settings.issuer} as their issuer; set https://...",
        )
    elif not settings.public_url.startswith("https://"):
        yield problem("PUBLIC_URL", "is not https: passwords and tokens would travel in the clear")
    else:
        yield ok("PUBLIC_URL", settings.public_url)


def address(settings: Settings) -> Iterator[Finding]:
    if _is_loopback(settings.host):
        yield ok("HOST", f"{settings.host}, which only this machine reaches")
    elif not settings.trusted_proxies:
        yield warning(
            "HOST",
            f"is {settings.host}: others reach this server without TLS; put a proxy in front",
        )
    else:
        yield ok("HOST", f"{settings.host}; see that nothing but the proxies reaches it")


def metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_port is not None and not _is_loopback(settings.metrics_host):
        yield warning(
            "METRICS_HOST", f"is {settings.metrics_host}: see that only Prometheus reaches it"
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
            f"believes {', '.join(wide)}: clients are in there, who could choose any address",
        )
    elif not settings.trusted_proxies:
        yield warning(
            _PROXIES, "is not set: behind a proxy, attempts of all clients are counted as one's"
        )
    else:
        yield ok(_PROXIES, ", ".join(settings.trusted_proxies))


def _is_wide(text: str) -> bool:
    network = ip_network(text)
    widest = _WIDEST_PUBLIC_PREFIX if network.is_global else _WIDEST_PREFIX
    return network.prefixlen < widest[network.version]


def origins(settings: Settings) -> Iterator[Finding]:
    clear = [origin for origin in settings.cors_origins if origin.startswith("http://")]
    if clear:
        yield problem(
            "CORS_ORIGINS", f"has {', '.join(clear)}: whoever is on the way can change such a page"
        )
    if "*" in settings.cors_origins:
        yield problem("CORS_ORIGINS", "is *, any website: name those that are yours")
    if not clear and "*" not in settings.cors_origins:
        yield ok("CORS_ORIGINS", ", ".join(settings.cors_origins) or "none")
