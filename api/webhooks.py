"""Webhooks and events, made of the settings."""

from collections.abc import Mapping
from typing import Any

from domain import webhooks
from domain.events import SUBSCRIPTIONS
from domain.hooks import Hooks
from domain.hooks.send import SUBSCRIPTION
from domain.webhooks import Endpoint, Webhooks
from settings import Settings


def create_webhooks(settings: Settings) -> Webhooks:
    """Create the webhooks. Raises ValueError, with one line, if no event has a name of
    WEBHOOK_EVENTS."""
    try:
        types = webhooks.types_matching(settings.webhook_events)
    except ValueError as error:
        raise ValueError(f"WEBHOOK_EVENTS: {error}") from None
    return Webhooks(
        tuple(
            Endpoint(number, url.get_secret_value())
            for number, url in enumerate(settings.webhooks, start=1)
        ),
        tuple(secret.get_secret_value() for secret in settings.webhook_secrets),
        types,
    )


def subscribed(webhooks: Webhooks, hooks: Hooks) -> Mapping[str, Any]:
    """Return what each transaction has to know to publish events."""
    subscriptions = [*webhooks.subscriptions(), *([SUBSCRIPTION] if hooks.wants_events else [])]
    return {SUBSCRIPTIONS: subscriptions} if subscriptions else {}
