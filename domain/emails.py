"""Email addresses: which are accepted, and which are the same mailbox."""

import unicodedata
from dataclasses import dataclass

import idna
from email_validator import EmailNotValidError, validate_email

from domain.text import MAX_IDENTIFIER_LENGTH, can_be_looked_up, is_readable, trim

MAX_LENGTH = MAX_IDENTIFIER_LENGTH

INVALID_EMAIL = "Enter a valid email address."


@dataclass(frozen=True, slots=True)
class Address:
    """``text`` is the address as its owner reads it, in lower case. ``key`` has the domain in ASCII
    and is the same for all spellings of a mailbox."""

    text: str
    key: str


def parse(email: str) -> Address | None:
    """Return the address, or None if it cannot be registered."""
    email = trim(email)
    # International domains go through a mapping that drops invisible characters instead of refusing
    # them.
    if len(email) > MAX_LENGTH or not is_readable(email):
        return None
    try:
        # Only ASCII before the @: few servers deliver to anything else, and look-alike letters
        # there would make two addresses of what reads as one.
        valid = validate_email(email, strict=True, allow_smtputf8=False, check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        return None
    if valid.ascii_email is None or len(valid.ascii_email) > MAX_LENGTH:
        return None
    return Address(valid.normalized.lower(), valid.ascii_email.lower())


def key(email: str) -> str | None:
    """Return the key to look an address up by, as `parse` gives it; None for a text that no account
    can have.

    It folds every address, also one that cannot be registered today but could be once.
    """
    email = unicodedata.normalize("NFC", trim(email)[: MAX_LENGTH + 1])
    if not can_be_looked_up(email):
        return None
    local, _, domain = email.rpartition("@")
    return f"{local}@{_to_ascii(domain)}".lower()


def key_prefix(text: str) -> str | None:
    """Return what the keys of the addresses begin with that begin with this text; None for a text
    that no account can have. A domain that is not ASCII must be complete."""
    if "@" in text:
        return key(text)
    text = trim(text).lower()
    return text if can_be_looked_up(text) else None


def _to_ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return domain
