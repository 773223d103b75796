"""Sessions: they start when someone proves who they are, go on by refresh tokens, and end once and for all (OWASP Session
Management Cheat Sheet).

Whoever starts or ends several sessions of a person locks that person's row first, so that two who do it at once wait for
one another. A refresh locks its one session.
"""

from domain.sessions.active import MAX_SESSIONS, authorize, find, ongoing
from domain.sessions.end import end, end_all, end_with_the_rest, log_out, revoke
from domain.sessions.refresh import refresh
from domain.sessions.start import SessionOrigin, SignedIn, start

__all__ = [
    "MAX_SESSIONS",
    "SessionOrigin",
    "SignedIn",
    "authorize",
    "end",
    "end_all",
    "end_with_the_rest",
    "find",
    "log_out",
    "ongoing",
    "refresh",
    "revoke",
    "start",
]
