"""The JSON of GraphQL requests, parsed within a bound of time.

The parser holds the event loop. It reads a mebibyte of text in a millisecond, but numbers, brackets
and keys take up to a hundred times as long. A large request is large for its strings, such as the
content of a post. So strings are bounded by the size of a request, and all else by less.
"""

import json
from collections.abc import Mapping
from typing import Any

# All but the strings: what the parser reads in a few milliseconds, and far more than documents with
# variables need.
MAX_OUTSIDE_STRINGS = 32 * 1024

NO_QUERY = "No GraphQL query found in the request"


class TooComplex(ValueError):
    """JSON that would take too long to parse."""

    def __init__(self) -> None:
        super().__init__(
            f"Outside of its strings, the JSON must have at most {MAX_OUTSIDE_STRINGS} characters."
        )


def parse(text: str) -> Any:
    """Parse JSON. Raises ValueError (TooComplex) or RecursionError."""
    if len(text) > MAX_OUTSIDE_STRINGS and _outside_strings(text) > MAX_OUTSIDE_STRINGS:
        raise TooComplex
    return json.loads(text)


def _outside_strings(text: str) -> int:
    """Return the number of characters outside of strings, or of strings if there are too many. At
    least one character separates two strings."""
    without_escapes = text.replace("\\\\", "").replace('\\"', "")
    strings = without_escapes.count('"') // 2
    if strings > MAX_OUTSIDE_STRINGS:
        return strings
    return sum(map(len, without_escapes.split('"')[::2]))


def problem_in(request: Mapping[Any, Any]) -> str | None:
    """Return why the parameters of a GraphQL request are malformed, as a sentence, or None."""
    for name, kind, described in (
        ("query", str, "a string"),
        ("documentId", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(request.get(name), kind | None):
            return f"`{name}` must be {described} or null."
    return None
