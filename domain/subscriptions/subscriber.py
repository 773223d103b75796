"""A subscriber: a caller who is told of changes."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from db.models import SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser
from domain.errors import SessionEnded
from domain.security_events import EventKind

# Events that a subscriber has not taken. Its stream then ends: it can read `securityEvents`.
MAX_PENDING = 100

# Events after which the user has and can do what they could before.
_NO_CHANGE = frozenset(
    (
        EventKind.WRONG_PASSWORD,
        EventKind.WRONG_CODE,
        EventKind.SIGN_IN_CODE_REQUESTED,
        EventKind.SECOND_FACTOR_REQUESTED,
        EventKind.PASSWORD_RESET_REQUESTED,
        EventKind.REFRESHED,
        EventKind.EXPORTED,
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """A user as they are now, and the new events of their account, the oldest first."""

    user: CurrentUser
    events: Sequence[SecurityEvent]

    @property
    def is_of_user(self) -> bool:
        """Tell whether what the user has, or can do, may be different: not after an attempt."""
        return not self.events or any(event.kind not in _NO_CHANGE for event in self.events)


class Connection(Protocol):
    """What subscriptions come by: a WebSocket or a response."""

    def cut_off_soon(self) -> None:
        """Close it in a moment, even if its client does not read: the session has ended."""


class Subscriber:
    """A caller who is told of changes."""

    def __init__(self, caller: Caller, connection: Connection, *, fields: int) -> None:
        self.caller = caller
        self.connection = connection
        self.fields = fields
        #: The events that were there when it began, until all of them count as seen.
        self.known: frozenset[UUID] = frozenset()
        self._user: CurrentUser | None = None
        self._pending: deque[Change] = deque()
        self._is_full = False
        self._has_ended = False
        self._is_told = asyncio.Event()

    def begin(self, user: CurrentUser) -> None:
        """Tell of what is different from this user from now on."""
        self._user = user

    async def next_change(self) -> Change | None:
        """Wait for the next change. Return None if too many were not taken. Raises SessionEnded."""
        await self._is_told.wait()
        self.require_active()
        if self._is_full:
            return None
        change = self._pending.popleft()
        if not self._pending:
            self._is_told.clear()
        return change

    def forget(self, known: frozenset[UUID]) -> None:
        """Tell nothing of these events, which are from before the subscription."""
        self.known = known
        told, self._pending = self._pending, deque()
        self._is_told.clear()
        for change in told:
            self.tell(change.user, change.events)

    def require_active(self) -> None:
        """Raise SessionEnded if the session has ended since the last change."""
        if self._has_ended:
            raise SessionEnded

    def tell(self, user: CurrentUser, events: Sequence[SecurityEvent]) -> None:
        """Add a change, if it is one."""
        events = [event for event in events if event.id not in self.known]
        has_changed = self._user not in (None, user)
        self._user = user
        if not (events or has_changed):
            return
        self._pending.append(Change(user, events))
        if sum(len(change.events) or 1 for change in self._pending) > MAX_PENDING:
            self._is_full = True
            self._pending.clear()
        self._is_told.set()

    def end(self) -> None:
        """End the stream: the session has ended."""
        self._has_ended = True
        self._pending.clear()
        self._is_told.set()
        self.connection.cut_off_soon()
