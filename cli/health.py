"""`gatehouse health`: ask the server of this machine or container whether it responds.

It imports little, and `cli/main.py` imports no other command with it: a container runs it every few
seconds.
"""

from contextlib import closing
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address

import click

from api.hosts import names_of
from cli.usage import examples
from settings import Settings, load_settings

LIVE, READY = "/health/live", "/health/ready"

TIMEOUT_SECONDS = 4

# Of a server that listens on every address, by its version of IP. `::` includes IPv4.
_LOOPBACK = {4: ("127.0.0.1",), 6: ("::1", "127.0.0.1")}


@click.command(epilog=examples("gatehouse health", "gatehouse health --ready"))
@click.option("--ready", is_flag=True, help="Ask for the database, too: /health/ready.")
def health(ready: bool) -> None:
    """Ask the server on HOST and PORT whether it responds.

    Exits with 0 if it does, and otherwise prints a line and exits with 1. For the health check of a
    container.
    """
    ask(READY if ready else LIVE)


def ask(path: str) -> None:
    """Send GET to the server of the settings. Raises SystemExit unless it returns 200."""
    settings = load_settings()
    for address in _addresses(settings):
        try:
            status = _status(address, settings.port, path)
            break
        except (OSError, HTTPException) as error:
            # Another address of the same server may be in use.
            failed = error
    else:
        raise SystemExit(
            f"gatehouse: no response on HOST {settings.host} and PORT {settings.port}:"
            f" {getattr(failed, 'strerror', None) or 'it does not speak HTTP in time'}"
        )
    if status != 200:
        raise SystemExit(f"gatehouse: {path} returned {status}")


def _addresses(settings: Settings) -> tuple[str, ...]:
    try:
        address = ip_address(settings.host)
    except ValueError:
        return names_of(settings.host)
    return _LOOPBACK[address.version] if address.is_unspecified else (settings.host,)


def _status(address: str, port: int, path: str) -> int:
    with closing(HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
