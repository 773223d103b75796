"""The password policy: which passwords are accepted."""

import functools
import unicodedata
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

from domain.errors import raise_invalid
from domain.text import trim

if TYPE_CHECKING:
    from domain.passwords.breaches import BreachedPasswords

# NIST SP 800-63B (revision 3) section 5.1.1.2: at least 8 characters, no composition rules, and the
# passwords that attackers try first are refused. The upper bound makes a hash cost the same for
# everyone.
MIN_LENGTH = 8
MAX_LENGTH = 128

# A character may be typed as four in Unicode's decomposed form (U+1F82 as alpha and three marks).
# A longer text is not normalized: that would take time.
MAX_TYPED_LENGTH = 4 * MAX_LENGTH

BREACHED = "This password is known from a data breach of another service. Choose another one."


def problems(password: str, *, username: str = "", email: str = "") -> list[str]:
    """Return why a password cannot be chosen, as sentences; an empty list if it can."""
    if len(password) <= MAX_TYPED_LENGTH:
        password = normalize(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [f"A password must have {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not can_be_hashed(password):
        return ["A password must not contain NUL characters or lone surrogates."]
    lowered = password.lower()
    if lowered in _common():
        return ["This password is too common. Choose another one."]
    # Lengths first: neither has been checked, and both can be as long as a request.
    names = (username[: MAX_LENGTH + 1], email[: MAX_LENGTH + 1])
    if lowered in (trim(name).lower() for name in names):
        return ["The password must not be the username or the email."]
    return []


async def require_unbreached(
    breached: "BreachedPasswords | None", password: str, *, field: str = "password"
) -> None:
    """Raise InvalidInput for a new password of a known breach, if the server looks them up.

    A slot for hashing must not be held meanwhile, and what limits how often must be counted.
    """
    if breached is not None and await breached.contain(normalize(password)):
        raise_invalid(**{field: [BREACHED]})


@functools.cache
def _common() -> frozenset[str]:
    # This file of the package alone, now, and not kept: all of it takes a twentieth of the start
    # and 13 MiB of memory.
    package = find_spec("zxcvbn")
    assert package is not None
    spec = PathFinder.find_spec("frequency_lists", package.submodule_search_locations)
    assert spec is not None
    assert spec.loader is not None
    lists = module_from_spec(spec)
    spec.loader.exec_module(lists)
    return frozenset(
        password for password in lists.FREQUENCY_LISTS["passwords"] if len(password) >= MIN_LENGTH
    )


def normalize(password: str) -> str:
    """Return a password as it is hashed (RFC 8265 section 4.2.2, OpaqueString).

    Keyboards write an accented letter as one character or as two, and a blank as one of seventeen
    characters. Everything else counts as typed: case, and blanks at the ends.
    """
    if password.isascii():
        return password
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return unicodedata.normalize("NFC", spaced)


def forms_of(password: str) -> tuple[str, ...]:
    """Return the forms in which a password may have been hashed: normalized and, if that differs,
    as typed, since older hashes were made so. Empty for a text that cannot be a password."""
    if len(password) > MAX_TYPED_LENGTH:
        return ()
    forms = dict.fromkeys((normalize(password), password))
    return tuple(form for form in forms if len(form) <= MAX_LENGTH and can_be_hashed(form))


def can_be_verified(password: str) -> bool:
    """Return whether a password can be the password of any account. Whether it can says nothing
    about an account, so one that cannot is refused before anything is counted or read."""
    return bool(forms_of(password))


def can_be_hashed(password: str) -> bool:
    return "\0" not in password and not any("\ud800" <= c <= "\udfff" for c in password)
