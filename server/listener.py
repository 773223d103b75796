"""The listening sockets on HOST and PORT."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from api.hosts import NO_SUCH_NETWORK, names_of
from settings import Settings


@contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """Bind a socket to each address of HOST, so that an address in use is reported before anything
    else. ``::`` is every address, of IPv4 too. ``localhost`` is 127.0.0.1 and ::1.

    Nothing listens on them until a server is ready to accept. Raises SystemExit.
    """
    with ExitStack() as opened:
        try:
            listeners = _bind(settings.host, settings.port, opened)
        except (OSError, UnicodeError) as error:
            raise cannot_listen(settings, error) from None
        yield listeners


def cannot_listen(settings: Settings, error: OSError | UnicodeError) -> SystemExit:
    """Return the exit, with one line, for an address that cannot be listened on."""
    address = f"HOST {settings.host} and PORT {settings.port}"
    why = error.strerror if isinstance(error, OSError) else "the host name is invalid"
    return SystemExit(f"gatehouse: cannot listen on {address}: {why}")


def _bind(host: str, port: int, opened: ExitStack) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    unavailable = None
    for family, address in _addresses(host):
        try:
            listener = opened.enter_context(socket.socket(family))
            _bind_to(listener, (address[0], port, *address[2:]))
        except OSError as error:
            if error.errno not in NO_SUCH_NETWORK:
                raise
            unavailable = error
        else:
            listeners.append(listener)
            # With PORT=0, the system chooses one for the first address.
            port = listener.getsockname()[1]
    if unavailable and not listeners:
        raise unavailable
    return listeners


def _addresses(host: str) -> list[tuple[socket.AddressFamily, Any]]:
    """Return the addresses to listen on."""
    addresses: list[tuple[socket.AddressFamily, Any]] = [
        (row[0], row[4])
        for name in names_of(host)
        for row in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    ]
    if any(address[0] == "::" for _, address in addresses):
        # A second socket. One for both protocols would write IPv4 addresses of clients as IPv6, and
        # no rule for IPv4 networks would match them.
        addresses.append((socket.AF_INET, ("0.0.0.0",)))  # noqa: S104
    return list(dict.fromkeys(addresses))


def _bind_to(listener: socket.socket, address: tuple[Any, ...]) -> None:
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
