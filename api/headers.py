"""Reads headers of requests, and adds headers to responses."""

from collections.abc import Iterable

from starlette.types import Message, Scope

Header = tuple[bytes, bytes]


def header_of(scope: Scope, name: bytes) -> str | None:
    """Return the first header of a lower-case name. Starlette's ``headers`` take four times as
    long."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


def add_headers(message: Message, always: Iterable[Header] = (), *, by_default: Header) -> None:
    """Add the ``always`` headers to a response, and the ``by_default`` one unless it has one of
    that name."""
    headers = message["headers"] = [*message["headers"], *always]
    if all(name != by_default[0] for name, _ in headers):
        headers.append(by_default)
