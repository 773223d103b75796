"""Tickets: what is proven once and soon, such as the ownership of an email.

A ticket is proven by a token, which is in the link of a mail, or by a code of six digits. Both are
computed from the ticket's id with the data key, when the mail is sent and again when they come
back. So neither the tickets nor the outbox contain anything that a reader of the database could
use.

A code is short, so it works only with what the browser kept that asked for it, or by the user who
asked while signed in, and only for ``MAX_ATTEMPTS`` (OWASP ASVS 5, 6.5.4 and 6.6.2).
"""

from domain.tickets.codes import (
    PROOFS,
    TicketKind,
    code,
    is_token,
    proofs,
    reference,
    token,
)
from domain.tickets.store import (
    MAX_ATTEMPTS,
    NewTicket,
    create,
    discard,
    discard_for,
    find,
    find_kept,
    is_usable_for,
    usable,
    use,
    use_code,
    use_code_of,
    use_own,
    use_token,
)

__all__ = [
    "MAX_ATTEMPTS",
    "PROOFS",
    "NewTicket",
    "TicketKind",
    "code",
    "create",
    "discard",
    "discard_for",
    "find",
    "find_kept",
    "is_token",
    "is_usable_for",
    "proofs",
    "reference",
    "token",
    "usable",
    "use",
    "use_code",
    "use_code_of",
    "use_own",
    "use_token",
]
