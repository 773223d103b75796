"""Usernames: which are accepted, and which read the same."""

import re

from domain.text import can_be_looked_up, trim

MIN_LENGTH = 3
MAX_LENGTH = 32

# ASCII only: with two alphabets, no short rule can tell names apart that read the same.
_ALPHABET = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")

# The ASCII letters that Unicode lists as confusable with one another (UTS 39, confusables.txt), and
# vv, after lower-casing: I, l and 1 look alike, and i is a lower-case I.
_LOOKS_LIKE = str.maketrans({"i": "l", "1": "l", "0": "o"})


def problems(username: str) -> list[str]:
    """Return why a username cannot be registered, as sentences; an empty list if it can."""
    username = trim(username)
    if not MIN_LENGTH <= len(username) <= MAX_LENGTH:
        return [f"A username must have {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not _ALPHABET.fullmatch(username):
        return [
            "A username may contain the letters a to z, digits, and single dots, hyphens or underscores between them."
        ]
    return []


def key(username: str) -> str | None:
    """Return the canonical key, which two names share exactly when they read the same; None for a
    text that no account can have.

    It folds every name, also one that cannot be registered today but could be once.
    """
    username = trim(username)
    if not can_be_looked_up(username):
        return None
    return username.lower().replace("rn", "m").replace("vv", "w").translate(_LOOKS_LIKE)
