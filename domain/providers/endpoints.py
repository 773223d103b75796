"""The addresses of a provider: which are secure, and how parameters are added to one."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

MAX_LENGTH = 2048


def is_secure(url: str) -> bool:
    """Return whether a request to this address is protected: by https, or because it does not leave
    this machine.

    An address with a user, a fragment or a character that has to be encoded is not accepted.
    """
    if len(url) > MAX_LENGTH or not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to an address, which keeps those that it has (RFC 6749 section 3.1)."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
