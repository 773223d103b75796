"""What no text of ours may contain, on any database."""

import re
import unicodedata

# Controls, NUL among them, which PostgreSQL cannot store; and lone surrogates, which no encoding can carry.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS = re.compile("[\u2028\u2029]")

# Besides: formatting, private and unassigned characters, line breaks in disguise.
_UNREADABLE = frozenset({"Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"})


def is_readable(text: str) -> bool:
    """Whether every character of an identifier can be seen, stored and sent."""
    return not any(unicodedata.category(character) in _UNREADABLE for character in text)


def is_storable(text: str, *, besides: str = "") -> bool:
    """Whether prose has no control character but those in ``besides``, and no half of a surrogate pair."""
    return set(_UNSTORABLE.findall(text)) <= set(besides)


def is_one_line(text: str) -> bool:
    """Whether prose ``is_storable`` and has no line break, in disguise or not."""
    return is_storable(text) and not _LINE_BREAKS.search(text)


def is_blank(text: str) -> bool:
    """Whether there is nothing to see: separators, controls and invisible formatting alone."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)
