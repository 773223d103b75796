"""Devices: what a request comes from, as far as the server can tell."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Browsers send less. Parsing more takes more time than the name is worth.
MAX_USER_AGENT_LENGTH = 256
MAX_ACCEPT_LANGUAGE_LENGTH = 256

# Some of the parser's names contain what the client sent.
_NAME = re.compile(r"[A-Za-z0-9 .+_/-]{1,40}")

# RFC 9110 section 10.1.5: a product and perhaps its version, limited here to harmless characters.
_PRODUCT = re.compile(r"[\w.+-]{1,40}(?:/[\w.+-]{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Device:
    """The device that a request comes from.

    ``ip`` is the address as text, or None if there is none (a Unix socket). ``network`` is what
    rate limits count by: the IPv4 address, or the /64 prefix of an IPv6 address, since a site is
    usually given that many. ``accept_language`` is the header as it was sent: few requests need it,
    and it is not parsed before.
    """

    ip: str | None
    network: str
    user_agent: str = ""
    accept_language: str = ""

    @classmethod
    def of(
        cls, host: str | None, user_agent: str | None = None, accept_language: str | None = None
    ) -> "Device":
        return cls(
            *_place(host),
            (user_agent or "")[:MAX_USER_AGENT_LENGTH],
            (accept_language or "")[:MAX_ACCEPT_LANGUAGE_LENGTH],
        )

    @property
    def name(self) -> str | None:
        """A name for people, such as "Chrome on Linux". It comes from the client and proves
        nothing."""
        return name_of(self.user_agent)


@lru_cache(maxsize=1024)
def name_of(user_agent: str) -> str | None:
    # Imported here: its patterns take a tenth of the start.
    import ua_parser

    browser = ua_parser.parse_user_agent(user_agent)
    system = ua_parser.parse_os(user_agent)
    if browser and _NAME.fullmatch(browser.family):
        known = system and _NAME.fullmatch(system.family)
        return f"{browser.family} on {system.family}" if system and known else browser.family
    product = _PRODUCT.match(user_agent)
    return product[0] if product else None


def network_of(host: str | None) -> str:
    """Return what rate limits count a client's address by."""
    _, network = _place(host)
    return network


def ip_of(host: str | None) -> str | None:
    """Return a client's address as text, or None if it is not an IP address."""
    ip, _ = _place(host)
    return ip


@lru_cache(maxsize=1024)
def _place(host: str | None) -> tuple[str | None, str]:
    address = _address(host)
    return (None, "unknown") if address is None else (str(address), _network(address))


def _address(host: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host or "")
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # Without the zone (RFC 4007), which has a meaning on one machine only.
    return address.ipv4_mapped or IPv6Address(int(address))


def _network(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, 64), strict=False))
