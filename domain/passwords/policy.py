"""Which passwords are accepted."""

import functools

# NIST SP 800-63B (revision 3) section 5.1.1.2: at least 8, no rules of composition, refuse what attackers try first.
# The upper end keeps the cost of a hash the same for everyone.
MIN_LENGTH = 8
MAX_LENGTH = 128


def problems(password: str, *, username: str = "", email: str = "") -> list[str]:
    """What keeps a password from being chosen, as sentences; nothing if it can be."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not can_be_hashed(password):
        return ["A password has no NUL and no half of a surrogate pair."]
    lowered = password.lower()
    if lowered in _common():
        return ["This password is among the first that anyone tries; choose another."]
    if lowered in (username.lower(), email.lower()):
        return ["A password must not be the username or the email."]
    return []


@functools.cache
def _common() -> frozenset[str]:
    # Here, as the lists take a twentieth of the start.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(
        password for password in FREQUENCY_LISTS["passwords"] if len(password) >= MIN_LENGTH
    )


def can_be_hashed(password: str) -> bool:
    return "\0" not in password and not any("\ud800" <= c <= "\udfff" for c in password)
