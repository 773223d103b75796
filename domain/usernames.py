"""Which usernames there are, and which two of them are the same name."""

import re

MIN_LENGTH = 3
MAX_LENGTH = 32

# ASCII alone: with two alphabets in play, names that read the same cannot be told apart by any rule that fits on a page.
_ALPHABET = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")

# The ASCII letters that Unicode holds for confusable with one another (UTS 39, confusables.txt), and vv, after
# lower-casing: I, l and 1 look alike, and i is an I in lower case.
_LOOKS_LIKE = str.maketrans({"i": "l", "1": "l", "0": "o"})


def problems(username: str) -> list[str]:
    """What keeps a username from being registered, as sentences; nothing if it can be."""
    if not MIN_LENGTH <= len(username) <= MAX_LENGTH:
        return [f"A username has {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not _ALPHABET.fullmatch(username):
        return [
            "A username has the letters a to z, digits, and single dots, hyphens or underscores between them."
        ]
    return []


def key(username: str) -> str | None:
    """What two names share exactly when they read the same, whatever their case; None for what can be no name."""
    if problems(username):
        return None
    return username.lower().replace("rn", "m").replace("vv", "w").translate(_LOOKS_LIKE)
