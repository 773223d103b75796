"""Pages by keyset: a page begins after a given id, so that it neither moves nor costs more as the list grows."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import InvalidInput

MAX_PAGE_SIZE = 100

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Window:
    """Which page: its size, and the id that it begins after, if it is not the first."""

    size: int
    after: UUID | None

    @classmethod
    def of(cls, first: int | None, after: str | None) -> "Window":
        """The window that a client asks for. Raises InvalidInput for a size out of range or a cursor that is not ours."""
        problems = {}
        if first is None or not 1 <= first <= MAX_PAGE_SIZE:
            problems["first"] = [f"A page has 1 to {MAX_PAGE_SIZE} entries."]
        try:
            begins_after = None if after is None else _id_under(after)
        except ValueError:
            problems["after"] = ["This is not a cursor of this list."]
        if problems:
            raise InvalidInput(fields=problems)
        assert first is not None
        return cls(first, begins_after)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    has_next: bool
    has_previous: bool

    @classmethod
    def cut(cls, rows: Sequence[Row], window: Window) -> "Page[Row]":
        """A page out of its rows and, if there is a next page, one row of that."""
        return cls(
            rows[: window.size],
            has_next=len(rows) > window.size,
            has_previous=window.after is not None,
        )


def newest_first(rows: Select[Row], id: InstrumentedAttribute[UUID], window: Window) -> Select[Row]:
    """The rows of a window, and one more, which tells whether there is a next page. The order of ids is that of time."""
    if window.after is not None:
        rows = rows.where(id < window.after)
    return rows.order_by(id.desc()).limit(window.size + 1)


def cursor(id: UUID) -> str:
    """A cursor holds an id and nothing else: no count and no offset."""
    return base64.urlsafe_b64encode(id.bytes).rstrip(b"=").decode()


def _id_under(text: str) -> UUID:
    """Raises ValueError for what `cursor` did not make."""
    id = UUID(bytes=base64.urlsafe_b64decode(f"{text}=="))
    # Base64 has spare bits at its end, and the decoder skips what is not of its alphabet.
    if cursor(id) != text:
        raise ValueError
    return id
