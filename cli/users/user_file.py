"""Read users from a file: CSV with the names of its columns on the first line, or a JSON object on
each line."""

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from domain.accounts import ForeignUser, NotImported

FIELDS = (
    "username",
    "email",
    "email_verified",
    "password_hash",
    "password_salt",
    "created_at",
    "image_file",
    "locale",
)
REQUIRED = ("username", "email")

# All fields together have 3,000 characters.
MAX_LINE_BYTES = 64 * 1024

TOO_LONG = f"A line has at most {MAX_LINE_BYTES} bytes."
NOT_UTF8 = "The line is not UTF-8."
NOT_CSV = "The line is not CSV with as many fields as the first line."
NOT_JSON = "The line is not a JSON object."
UNKNOWN_FIELD = f"The line has an unknown field. The fields are {', '.join(FIELDS)}."
MISSING = "This field is required."
NOT_TEXT = "Use a text."
NOT_BOOLEAN = "Use true or false."
NOT_A_TIME = "Use a time such as 2026-05-01T12:00:00Z."

# The field of a problem that is not one of a field.
WHOLE_LINE = "line"

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class InvalidHeader(ValueError):
    """The first line does not name the columns. The message is part of a sentence."""


@dataclass
class UserFile:
    """A file that is read line by line, so that its size does not matter.

    Iterate over it once. Raises InvalidHeader.
    """

    source: BinaryIO
    format: str
    #: How many bytes are read.
    position: int = 0
    _columns: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[ForeignUser | NotImported]:
        """Yield the user of each line, or what is wrong with it."""
        values_of = _json_values
        lines = self._lines()
        if self.format == "csv":
            self._columns = _header(next(lines, (1, b""))[1])
            values_of = self._csv_values
        for number, line in lines:
            if line is None or line.strip():
                yield _user(number, line, values_of)

    def _lines(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield each line with its number, and None in place of one that is too long."""
        number = 0
        while line := self._part():
            number += 1
            part = line
            while len(part) > MAX_LINE_BYTES and not part.endswith(b"\n"):
                part = self._part()
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            yield number, line if len(line) <= MAX_LINE_BYTES else None

    def _part(self) -> bytes:
        """Return a line, or the next part of one that is too long."""
        part = self.source.readline(MAX_LINE_BYTES + 1)
        self.position += len(part)
        return part

    def _csv_values(self, text: str) -> Mapping[str, Any]:
        values = _csv_fields(text)
        if len(values) != len(self._columns):
            raise ValueError(NOT_CSV)
        # An empty field is one that is not there.
        named = zip(self._columns, values, strict=True)
        return {name: value or None for name, value in named}


def _header(line: bytes | None) -> list[str]:
    try:
        columns = [name.strip() for name in _csv_fields((line or b"").decode())]
    except ValueError:
        raise InvalidHeader("its first line is not CSV in UTF-8") from None
    if len(set(columns)) < len(columns) or not set(columns) <= set(FIELDS):
        raise InvalidHeader(f"its first line must name columns of {', '.join(FIELDS)}")
    if not set(REQUIRED) <= set(columns):
        raise InvalidHeader(f"its first line must name the columns {' and '.join(REQUIRED)}")
    return columns


def _csv_fields(text: str) -> list[str]:
    # No field can have a line break, so each line is read by itself: one that is broken spoils no
    # other.
    try:
        return next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except csv.Error:
        raise ValueError(NOT_CSV) from None


def _json_values(text: str) -> Mapping[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(NOT_JSON) from None
    if not isinstance(values, dict):
        raise ValueError(NOT_JSON)
    return values


def _user(
    number: int, line: bytes | None, values_of: Callable[[str], Mapping[str, Any]]
) -> ForeignUser | NotImported:
    try:
        values = values_of(_decoded(line))
        if not values.keys() <= set(FIELDS):
            raise ValueError(UNKNOWN_FIELD)
    except ValueError as error:
        return NotImported(number, {WHOLE_LINE: [str(error)]})
    read: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for name in FIELDS:
        value = values.get(name)
        try:
            if value is not None:
                read[name] = _READERS.get(name, _text)(value)
            elif name in REQUIRED:
                raise ValueError(MISSING)
        except ValueError as error:
            problems[name] = [str(error)]
    return NotImported(number, problems) if problems else ForeignUser(number, **read)


def _decoded(line: bytes | None) -> str:
    if line is None:
        raise ValueError(TOO_LONG)
    try:
        return line.decode()
    except UnicodeError:
        raise ValueError(NOT_UTF8) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(NOT_TEXT)
    return value


def _boolean(value: object) -> bool:
    found = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
    if found is None:
        raise ValueError(NOT_BOOLEAN)
    return found


def _time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(_text(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NOT_A_TIME) from None


_READERS: Mapping[str, Callable[[object], Any]] = {
    "email_verified": _boolean,
    "created_at": _time,
}
