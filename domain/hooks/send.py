"""Tell the hook `on_event` about the events of the outbox."""

from dataclasses import dataclass

from db.database import Database
from db.models import OutboxRow
from domain import events, outbox
from domain.events import Event, EventType, Subscription
from domain.hooks.calls import ON_EVENT_TIMEOUT, HookFailed, Hooks
from domain.observer import SILENT, Observer
from domain.outbox import NotDelivered, OutboxKind

QUEUE = events.queue(OutboxKind.HOOK)

SUBSCRIPTION = Subscription(OutboxKind.HOOK, None, frozenset(EventType))


@dataclass(frozen=True, slots=True)
class EventHookSender:
    database: Database
    hooks: Hooks
    observer: Observer = SILENT

    async def send_due(self) -> None:
        """Call the hook for each event that is due."""
        await outbox.send_due(self.database, QUEUE, self._send_batch, lambda _: None)

    async def _send_batch(self, rows: list[OutboxRow], lease_ends: float) -> bool:
        await outbox.send_each(
            self.database,
            rows,
            self._send,
            can_send=lambda: outbox.has_time(lease_ends, ON_EVENT_TIMEOUT),
        )
        return True

    async def _send(self, row: OutboxRow) -> None:
        name = f"Event {row.id} for the hook on_event"
        outcome = await outbox.deliver(self.database, QUEUE, row, self._attempt, name=name)
        self.observer.event_hook_ended(outcome)

    async def _attempt(self, row: OutboxRow) -> None:
        try:
            await self.hooks.on_event(Event.parse(row.payload["body"]))
        except HookFailed as error:
            raise NotDelivered(str(error)) from None
