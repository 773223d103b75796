"""The names that HOST and METRICS_HOST stand for."""

import errno

# What a system without IPv6, or without an IPv6 address for this machine, responds.
NO_SUCH_NETWORK = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)

# RFC 6761 section 6.3. The system may know one of them by this name.
_LOOPBACK = {"localhost": ("127.0.0.1", "::1")}


def names_of(host: str) -> tuple[str, ...]:
    """Return the names to listen at. Those of no such network may be left out, but not all."""
    return _LOOPBACK.get(host, (host,))
