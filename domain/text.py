"""What no text of ours may contain, on any database."""

import unicodedata

# Controls, NUL among them, which PostgreSQL cannot store; and lone surrogates, which no encoding can carry.
_UNSTORABLE = frozenset({"Cc", "Cs"})

# And what cannot be seen: formatting, private and unassigned characters, line breaks in disguise.
_UNREADABLE = _UNSTORABLE | {"Cf", "Co", "Cn", "Zl", "Zp"}


def is_readable(text: str) -> bool:
    """Whether every character of an identifier can be seen, stored and sent."""
    return not any(unicodedata.category(character) in _UNREADABLE for character in text)


def is_storable(text: str, *, besides: str = "") -> bool:
    """Whether prose has no control character but those named in ``besides``, and no half of a surrogate pair."""
    return not any(
        unicodedata.category(character) in _UNSTORABLE and character not in besides
        for character in text
    )


def is_one_line(text: str) -> bool:
    """Whether prose ``is_storable`` and has no line break, in disguise or not."""
    return is_storable(text) and not {"\u2028", "\u2029"} & set(text)


def is_blank(text: str) -> bool:
    """Whether there is nothing to see: separators, controls and invisible formatting alone."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)
