"""Keyset pagination: a page begins after a given id, so it neither shifts nor slows down as the
list grows."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import InvalidInput

MAX_PAGE_SIZE = 100

# 16 bytes in base64.
CURSOR_LENGTH = 22

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The size of a page, and the id that it begins after, or None for the first page."""

    size: int
    after: UUID | None

    @property
    def rows(self) -> int:
        """The rows to read: one more, which shows whether there is a next page."""
        return self.size + 1

    @classmethod
    def of(cls, first: int | None, after: str | None) -> "PageRequest":
        """Validate a client's arguments. Raises InvalidInput for a size out of range or an invalid
        cursor."""
        problems = {}
        if first is None or not 1 <= first <= MAX_PAGE_SIZE:
            problems["first"] = [f"A page has 1 to {MAX_PAGE_SIZE} entries."]
        try:
            begins_after = None if after is None else _id_of(after)
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
    def from_rows(cls, rows: Sequence[Row], page_request: PageRequest) -> "Page[Row]":
        """Make a page of the rows that `newest_first` selects."""
        return cls(
            rows[: page_request.size],
            has_next=len(rows) > page_request.size,
            has_previous=page_request.after is not None,
        )


def newest_first(
    rows: Select[Row], id: InstrumentedAttribute[UUID], page_request: PageRequest
) -> Select[Row]:
    """Select the rows of a page and one more. Ids sort by time."""
    if page_request.after is not None:
        rows = rows.where(id < page_request.after)
    return rows.order_by(id.desc()).limit(page_request.rows)


def cursor(id: UUID) -> str:
    """Return the cursor of a row. It holds the id alone: no count and no offset."""
    return base64.urlsafe_b64encode(id.bytes).rstrip(b"=").decode()


def _id_of(text: str) -> UUID:
    """Return the id in a cursor. Raises ValueError for any other text."""
    # Lengths first: a cursor can be as long as a request.
    if len(text) != CURSOR_LENGTH:
        raise ValueError
    id = UUID(bytes=base64.urlsafe_b64decode(f"{text}=="))
    # Base64 has spare bits at its end, and the decoder skips characters outside its alphabet.
    if cursor(id) != text:
        raise ValueError
    return id
