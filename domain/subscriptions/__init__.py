"""Subscriptions: what happens to an account from now on, for as long as the session is active.

While a process has subscribers, it reads the new security events of their users once a second. That
works on every database and through every pooler, and holds no connection. (PostgreSQL's NOTIFY in
each transaction took two thirds of the rate of writes.)
"""

from domain.subscriptions.subscriber import MAX_PENDING, Connection, Subscriber
from domain.subscriptions.subscriptions import (
    MAX_CONNECTIONS_PER_SESSION,
    MAX_FIELDS,
    MAX_FIELDS_PER_USER,
    MAX_STREAMS_PER_CONNECTION,
    OVERLAP,
    POLL_EVERY,
    Subscriptions,
)

__all__ = [
    "MAX_CONNECTIONS_PER_SESSION",
    "MAX_FIELDS",
    "MAX_FIELDS_PER_USER",
    "MAX_PENDING",
    "MAX_STREAMS_PER_CONNECTION",
    "OVERLAP",
    "POLL_EVERY",
    "Connection",
    "Subscriber",
    "Subscriptions",
]
