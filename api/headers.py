"""Headers that an answer is given on its way out."""

from collections.abc import Iterable

from starlette.types import Message

Header = tuple[bytes, bytes]


def add_headers(message: Message, always: Iterable[Header] = (), *, by_default: Header) -> None:
    """To the start of an answer: those it ``always`` has, and one ``by_default`` if it brings none of that name."""
    headers = message["headers"] = [*message["headers"], *always]
    if all(name != by_default[0] for name, _ in headers):
        headers.append(by_default)
