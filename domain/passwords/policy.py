"""The password policy: which passwords are accepted."""

import functools

# NIST SP 800-63B (revision 3) section 5.1.1.2: at least 8 characters, no composition rules, and the
# passwords that attackers try first are refused. The upper bound makes a hash cost the same for
# everyone.
MIN_LENGTH = 8
MAX_LENGTH = 128


def problems(password: str, *, username: str = "", email: str = "") -> list[str]:
    """Return why a password cannot be chosen, as sentences; an empty list if it can."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [f"A password must have {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not can_be_hashed(password):
        return ["A password must not contain NUL characters or lone surrogates."]
    lowered = password.lower()
    if lowered in _common():
        return ["This password is too common. Choose another one."]
    if lowered in (username.lower(), email.lower()):
        return ["The password must not be the username or the email."]
    return []


@functools.cache
def _common() -> frozenset[str]:
    # Imported here: the lists take a twentieth of the start.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(
        password for password in FREQUENCY_LISTS["passwords"] if len(password) >= MIN_LENGTH
    )


def can_be_verified(password: str) -> bool:
    """Return whether a password can be the password of any account. Whether it can says nothing
    about an account, so one that cannot is refused before anything is counted or read."""
    return len(password) <= MAX_LENGTH and can_be_hashed(password)


def can_be_hashed(password: str) -> bool:
    return "\0" not in password and not any("\ud800" <= c <= "\udfff" for c in password)
