"""Redirect addresses: where a sign-in may return to (RFC 9700 section 4.11)."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

_MAX_LENGTH = 2048

_LOOPBACK = ("127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class RedirectAllowlist:
    """The exact addresses that are allowed. One on a loopback address is allowed with every port,
    which desktop applications get from the system (RFC 8252 section 7.3)."""

    addresses: Collection[str]

    def allows(self, address: str) -> bool:
        """Compare an address as it is: without decoding, and without any other normalization."""
        if len(address) > _MAX_LENGTH:
            return False
        return address in self.addresses or _without_port(address) in self.addresses


def with_parameters(address: str, **parameters: str) -> str:
    """Return an allowed address with these parameters in its query."""
    separator = "&" if "?" in address else "?"
    return f"{address}{separator}{urlencode(parameters)}"


def _without_port(address: str) -> str | None:
    """Return an address of a loopback host without its port, or None for any other."""
    for host in _LOOPBACK:
        prefix = f"http://{host}:"
        if address.startswith(prefix):
            port, slash, path = address.removeprefix(prefix).partition("/")
            if slash and port.isascii() and port.isdigit() and len(port) <= 5:
                return f"http://{host}/{path}"
    return None
