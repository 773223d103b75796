"""The listening socket on HOST and PORT."""

import socket
import sys

from settings import Settings


def bind(settings: Settings) -> socket.socket:
    """Bind a socket to HOST and PORT, so that an address in use is reported before anything else.

    Nothing listens on it until a server is ready to accept. Raises SystemExit.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise cannot_listen(settings, error) from None
    return listener


def cannot_listen(settings: Settings, error: OSError) -> SystemExit:
    """Return the exit, with one line, for an address that cannot be listened on."""
    address = f"HOST {settings.host} and PORT {settings.port}"
    return SystemExit(f"gatehouse: cannot listen on {address}: {error.strerror}")
