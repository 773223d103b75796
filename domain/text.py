"""What no text of ours may contain, on any database."""

import unicodedata

# Cc: controls, NUL among them, which PostgreSQL cannot store. Cf: invisible formatting. Cs: lone surrogates, which
# no encoding can carry. Co, Cn: private and unassigned, which nobody can read. Zl, Zp: line breaks in disguise.
_UNREADABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_readable(text: str) -> bool:
    """Whether every character of a line of text can be seen, stored and sent."""
    return not any(unicodedata.category(character) in _UNREADABLE for character in text)
