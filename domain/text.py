"""Rules for texts, the same on both databases."""

import re
import unicodedata

# Control characters, with NUL, which PostgreSQL cannot store; and lone surrogates, which no
# encoding can represent.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS = re.compile("[\u2028\u2029]")

# In addition: formatting, private and unassigned characters, and Unicode's line separators.
_UNREADABLE = frozenset({"Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"})


# No username and no email is longer (RFC 5321 section 4.5.3.1, without the angle brackets), so a
# longer text is not folded.
MAX_IDENTIFIER_LENGTH = 254


def trim(identifier: str) -> str:
    """Return a username or an email without the white space around it, which is no part of it: the
    keyboards of phones add a blank to what they complete."""
    return identifier.strip()


def can_be_looked_up(identifier: str) -> bool:
    """Return whether a column can hold an identifier, whatever the rules for new ones are."""
    return len(identifier) <= MAX_IDENTIFIER_LENGTH and is_storable(identifier)


def is_readable(text: str) -> bool:
    """Return whether every character of an identifier is visible and can be stored and sent."""
    return not any(unicodedata.category(character) in _UNREADABLE for character in text)


def is_storable(text: str, *, besides: str = "") -> bool:
    """Return whether a text has no lone surrogates, and no control characters except those in
    ``besides``."""
    return set(_UNSTORABLE.findall(text)) <= set(besides)


def is_one_line(text: str) -> bool:
    """Return whether a text is storable and has no line break, not even a Unicode one."""
    return is_storable(text) and not _LINE_BREAKS.search(text)


def is_blank(text: str) -> bool:
    """Return whether a text has only separators, control characters and invisible formatting."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)
