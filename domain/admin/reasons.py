"""Reasons, which are kept with what was done to an account. The owner can read them."""

from domain.errors import raise_invalid
from domain.text import is_blank, is_one_line

# With the longest name of a role before it, the detail of an event, which has 200 characters.
MAX_REASON_LENGTH = 180


def require_reason(reason: str) -> str:
    """Return the reason without blanks around it. Raises InvalidInput."""
    if len(reason) > MAX_REASON_LENGTH or is_blank(reason) or not is_one_line(reason):
        problem = f"A reason must have 1 to {MAX_REASON_LENGTH} characters on one line and must not be blank."
        raise_invalid(reason=[problem])
    return reason.strip()
