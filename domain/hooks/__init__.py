"""Hooks: code of the operator that Gatehouse calls. It imports what it is given from here.

A class with any of these methods, which HOOKS names::

    def claims(self, account: Account, session: Session) -> Mapping[str, ClaimValue]
    async def before_register(self, draft: Draft) -> list[str]
    async def on_event(self, event: Event) -> None
"""

from domain.events import Event, EventType
from domain.hooks.calls import Hooks
from domain.hooks.types import Account, ClaimValue, Draft, Session

__all__ = ["Account", "ClaimValue", "Draft", "Event", "EventType", "Hooks", "Session"]
