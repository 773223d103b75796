"""Ids as clients send them."""

from uuid import UUID

# RFC 9562 section 5.9. Nothing of ours has it.
NIL = UUID(int=0)


def as_uuid(id: str) -> UUID:
    """The id, or the nil UUID for what is not written as ids are: there is nothing under either, which is no error."""
    try:
        parsed = UUID(id)
    except ValueError:
        return NIL
    return parsed if str(parsed) == id else NIL
