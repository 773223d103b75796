"""Sessions: they start when someone signs in, stay active by refresh tokens, and end for good
(OWASP Session Management Cheat Sheet).

A command that starts or ends several sessions of a user locks the user's row first, so that
concurrent ones run one after the other. A refresh locks nothing: it changes its session if that is
as it was read, and otherwise begins again.
"""

from domain.sessions.active import (
    MAX_SESSIONS,
    active,
    find,
    impersonators,
    lock_active,
    owner,
    require_active,
    with_second_factor,
)
from domain.sessions.end import (
    end,
    end_all,
    end_all_of,
    end_and_record,
    end_and_record_all_of,
    end_impersonations,
    log_out,
)
from domain.sessions.impersonation import start_impersonated
from domain.sessions.refresh import refresh
from domain.sessions.renew import joined, renew
from domain.sessions.start import LoginMethod, SignedIn, start

__all__ = [
    "MAX_SESSIONS",
    "LoginMethod",
    "SignedIn",
    "active",
    "end",
    "end_all",
    "end_all_of",
    "end_and_record",
    "end_and_record_all_of",
    "end_impersonations",
    "find",
    "impersonators",
    "joined",
    "lock_active",
    "log_out",
    "owner",
    "refresh",
    "renew",
    "require_active",
    "start",
    "start_impersonated",
    "with_second_factor",
]
