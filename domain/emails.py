"""Email addresses: which are accepted, and which are the same mailbox."""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from domain.text import is_readable

# RFC 5321 section 4.5.3.1, without the angle brackets.
MAX_LENGTH = 254


@dataclass(frozen=True, slots=True)
class Address:
    """``text`` is the address as its owner reads it, in lower case. ``key`` has the domain in ASCII
    and is the same for all spellings of a mailbox."""

    text: str
    key: str


def parse(email: str) -> Address | None:
    """Return the address, or None if it is not valid."""
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
