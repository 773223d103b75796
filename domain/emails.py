"""Which emails are accepted, and which two of them are the same address."""

from email_validator import EmailNotValidError, validate_email

from domain.text import is_readable

# RFC 5321 section 4.5.3.1, with the angle brackets taken off.
MAX_LENGTH = 254


def problems(email: str) -> list[str]:
    """What keeps an email from being registered, as sentences; nothing if it can be."""
    return [] if key(email) else ["This is not an email address that mail can be sent to."]


def key(email: str) -> str | None:
    """The address in lower case with its domain in ASCII; None for what can be no address."""
    addresses = _addresses(email)
    return addresses and addresses[0]


def stored(email: str) -> str:
    """The address as its owner reads it: in lower case, an international domain in its own script."""
    addresses = _addresses(email)
    if addresses is None:
        raise ValueError("not an email")
    return addresses[1]


def _addresses(email: str) -> tuple[str, str] | None:
    # International domains pass through a mapping that drops invisible characters instead of refusing them.
    if len(email) > MAX_LENGTH or not is_readable(email):
        return None
    try:
        # ASCII before the @: few servers deliver to anything else, and look-alike letters there would make two
        # addresses of what reads as one.
        valid = validate_email(
            email,
            strict=True,
            allow_smtputf8=False,
            check_deliverability=False,
            test_environment=True,
        )
    except (EmailNotValidError, UnicodeError):
        return None
    ascii_email = valid.ascii_email
    if ascii_email is None or len(ascii_email) > MAX_LENGTH:
        return None
    return ascii_email.lower(), valid.normalized.lower()
