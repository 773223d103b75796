"""Ids are UUIDv7, which sort by the time they were made. Indexes stay compact, and "newest first"
is an order of ids."""

import secrets
import time
from datetime import datetime
from uuid import UUID


def new_id() -> UUID:
    """Return a new UUID of version 7 (RFC 9562 section 5.7).

    48 bits of Unix milliseconds, 12 bits of their fraction (section 6.2, method 3: about 250 ns, so
    that ids made one after the other sort in this order), 62 random bits.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    version, variant = 0b0111, 0b10
    return UUID(
        int=milliseconds << 80
        | version << 76
        | fraction << 64
        | variant << 62
        | secrets.randbits(62)
    )


def first_id_of(moment: datetime) -> UUID:
    """Return the lower bound of all ids made at a moment or later, to the millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
