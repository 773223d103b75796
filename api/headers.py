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


def add_headers(message: Message, always: Iterable[Header], by_default: Iterable[Header]) -> None:
    """Add the ``always`` headers to a response, and those ``by_default`` of whose names it has
    none."""
    headers = message["headers"]
    names = {name for name, _ in headers}
    message["headers"] = [
        *headers,
        *always,
        *(header for header in by_default if header[0] not in names),
    ]
