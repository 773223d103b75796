"""Check what other machines can reach, and how the addresses of clients are determined."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from cli.check.findings import Finding, ok, problem, warning
from settings import Settings

_HINTS: tuple[Literal["introspection", "suggestions"], ...] = ("introspection", "suggestions")

# The widest private networks: 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193).
_WIDEST_PREFIX = {4: 8, 6: 7}
# For public addresses. The networks that large proxy services publish are all narrower.
_WIDEST_PUBLIC_PREFIX = {4: 12, 6: 28}

# The last 32 bits are an IPv4 address (RFC 4291 section 2.5.5.2, RFC 6052 section 2.1).
_EMBEDDING_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))

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
    elif is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield problem("PUBLIC_URL", f"is {settings.public_url}: clients connect to themselves")
    else:
        yield ok("PUBLIC_URL", settings.public_url)


def address(settings: Settings) -> Iterator[Finding]:
    if is_loopback(settings.host):
        yield ok("HOST", f"{settings.host}, reachable from this machine only")
    elif not settings.trusted_proxies:
        yield warning(
            "HOST",
            f"is {settings.host}: clients can connect without TLS; put a proxy in front",
        )
    else:
        yield ok("HOST", f"{settings.host}; make sure that only the proxies can reach it")


def metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_port is None:
        yield ok("METRICS_PORT", "not set")
    elif settings.metrics_port == settings.port:
        yield problem("METRICS_PORT", f"is {settings.port}, as PORT: choose another one")
    elif is_loopback(settings.metrics_host):
        yield ok("METRICS_HOST", f"{settings.metrics_host}, reachable from this machine only")
    else:
        yield warning(
            "METRICS_HOST",
            f"is {settings.metrics_host}: make sure that only Prometheus can reach it",
        )


def log(settings: Settings) -> Iterator[Finding]:
    if settings.log_level == "INFO":
        yield ok("LOG_LEVEL", "INFO")
    else:
        yield warning(
            "LOG_LEVEL", f"is {settings.log_level}: no line is logged for a request or a sign-in"
        )


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 section 6.3


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
    for embedding in _EMBEDDING_IPV4:
        if isinstance(network, IPv6Network) and network.subnet_of(embedding):
            last_four = int(network.network_address) & 0xFFFFFFFF
            network = IPv4Network((last_four, network.prefixlen - embedding.prefixlen))
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
    local = [
        origin
        for origin in settings.cors_origins
        if origin.startswith("https://") and is_loopback(urlsplit(origin).hostname or "")
    ]
    if local:
        yield warning(
            "CORS_ORIGINS", f"has {', '.join(local)}: any program on a user's machine could use it"
        )
    if not insecure and not local and "*" not in settings.cors_origins:
        yield ok("CORS_ORIGINS", ", ".join(settings.cors_origins) or "none")
