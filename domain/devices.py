"""Where a request comes from, as far as it can be told: the address that it was sent from, and what its program says of
itself."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# What is longer is no browser's, and would cost the parser more time than it is worth.
MAX_USER_AGENT_LENGTH = 256

# Some of the parser's names are what the client sent.
_NAME = re.compile(r"[A-Za-z0-9 .+_/-]{1,40}")

# RFC 9110 section 10.1.5: a product and perhaps its version, here with the harmless characters alone.
_PRODUCT = re.compile(r"[\w.+-]{1,40}(?:/[\w.+-]{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Client:
    """``ip`` as text, None where there is none (a Unix socket). ``network`` is what attempts are counted by: the address
    itself or, as a site is given that many, the 64-bit prefix of an IPv6 address."""

    ip: str | None
    network: str
    user_agent: str = ""

    @classmethod
    def of(cls, host: str | None, user_agent: str | None = None) -> "Client":
        return cls(*_place(host), (user_agent or "")[:MAX_USER_AGENT_LENGTH])

    @property
    def name(self) -> str | None:
        """What a person calls it ("Chrome on Linux"), for them to tell their sessions apart. It says so itself: proof of
        nothing."""
        return name_of(self.user_agent)


@lru_cache(maxsize=1024)
def name_of(user_agent: str) -> str | None:
    # Here, as its patterns take a tenth of the start.
    import ua_parser

    browser = ua_parser.parse_user_agent(user_agent)
    system = ua_parser.parse_os(user_agent)
    if browser and _NAME.fullmatch(browser.family):
        known = system and _NAME.fullmatch(system.family)
        return f"{browser.family} on {system.family}" if system and known else browser.family
    product = _PRODUCT.match(user_agent)
    return product[0] if product else None


def ip_of(host: str | None) -> str | None:
    """A client's address as text, None for what is none."""
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
    # Without its zone (RFC 4007), which means something on one machine alone.
    return address.ipv4_mapped or IPv6Address(int(address))


def _network(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, 64), strict=False))
