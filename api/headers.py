"""Add headers to responses."""

from collections.abc import Iterable

from starlette.types import Message

Header = tuple[bytes, bytes]


def add_headers(message: Message, always: Iterable[Header] = (), *, by_default: Header) -> None:
    """Add the ``always`` headers to a response, and the ``by_default`` one unless it has one of
    that name."""
    headers = message["headers"] = [*message["headers"], *always]
    if all(name != by_default[0] for name, _ in headers):
        headers.append(by_default)
