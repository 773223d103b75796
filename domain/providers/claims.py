"""What claims say of a user: the email, and a name to suggest a username from."""

from collections.abc import Mapping
from typing import Any

from domain import emails
from domain.text import is_readable

Claims = Mapping[str, Any]

# The claim that says so, and the values of it that mean yes.
EMAIL_VERIFIED = ("email_verified", (True, "true"))

# Microsoft's email is what an administrator of any tenant has typed. This optional claim says that
# the domain belongs to the tenant; depending on the endpoint it is a boolean, a number or a text.
MICROSOFT_EMAIL_VERIFIED = ("xms_edov", (True, 1, "1", "true"))

_NAMES = ("preferred_username", "nickname", "name")

_MAX_NAME_LENGTH = 100


def email_of(claims: Claims) -> str | None:
    """Return the email as an account has it, or None if no account can have it."""
    text = claims.get("email")
    # Never `preferred_username`, though it often looks like one: users choose it freely (section
    # 5.7).
    address = emails.parse(text) if isinstance(text, str) else None
    return address.text if address else None


def is_verified(claims: Claims, rule: tuple[str, tuple[object, ...]]) -> bool:
    """Return whether the claim of the rule says that the email is verified."""
    name, accepted = rule
    value = claims.get(name)
    # Types are compared too: for Python, 1 is True.
    return any(type(value) is type(one) and value == one for one in accepted)


def name_hint(claims: Claims) -> str | None:
    """Return the name that is most like a username."""
    for claim in _NAMES:
        text = claims.get(claim)
        name = text.partition("@")[0].strip() if isinstance(text, str) else ""
        if name and is_readable(name):
            return name[:_MAX_NAME_LENGTH]
    return None
