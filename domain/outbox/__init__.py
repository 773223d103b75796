"""The outbox: messages that are written in the transaction of what they report, and sent after it.

Each serving process claims some that are due, sends them and marks each. A claim is a lease: if the
process is killed, another one sends what it had not marked. So a message is sent at least once.

When a message is due and how long a lease lasts goes by the clock of the database: by those of
machines that differ, two would send the same message, or one of them late.
"""

from domain.outbox.messages import (
    add,
    claim,
    failed,
    find,
    give_up,
    longest_wait,
    mark_done,
    newest,
    release,
    retry_later,
    retry_now,
)
from domain.outbox.queue import OutboxKind, Queue
from domain.outbox.send import NotDelivered, deliver, has_time, send_due, send_each

__all__ = [
    "NotDelivered",
    "OutboxKind",
    "Queue",
    "add",
    "claim",
    "deliver",
    "failed",
    "find",
    "give_up",
    "has_time",
    "longest_wait",
    "mark_done",
    "newest",
    "release",
    "retry_later",
    "retry_now",
    "send_due",
    "send_each",
]
