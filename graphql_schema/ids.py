"""Ids as clients send them."""

from uuid import UUID

# RFC 9562 section 5.9. Nothing has this id.
NIL = UUID(int=0)

# RFC 9562 section 4.
LENGTH = 36


def as_uuid(id: str) -> UUID:
    """Return the id, or the nil UUID for a malformed one: like an unknown id, it is simply not
    found."""
    if len(id) != LENGTH:
        return NIL
    try:
        parsed = UUID(id)
    except ValueError:
        return NIL
    return parsed if str(parsed) == id else NIL
