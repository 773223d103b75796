"""Metrics for Prometheus. `exporter.py` serves them."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import cache

from api.background import running
from api.telemetry.request import RequestRecord
from domain.errors import ErrorCode
from domain.observer import (
    BreachLookup,
    CaptchaOutcome,
    DeliveryOutcome,
    Observer,
    PictureOutcome,
)
from domain.services import Services
from domain.subscriptions import Subscriptions

# In seconds: from a response without any wait to one at the deadline.
LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REFUSED_DOCUMENTS = frozenset(
    (
        ErrorCode.GRAPHQL_PARSE_FAILED,
        ErrorCode.GRAPHQL_VALIDATION_FAILED,
        ErrorCode.QUERY_TOO_COSTLY,
    )
)

SAMPLE_EVERY = timedelta(seconds=1)


class Metrics(Observer):
    """Labels are names of the schema and of providers, templates of routes and codes, so a client
    cannot add any.

    prometheus-client is imported only when metrics are on.
    """

    def __init__(self) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            ProcessCollector,
        )

        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "gatehouse_requests",
            "Finished requests and operations over WebSockets, by operation and by the code of their first error.",
            ("operation", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "gatehouse_request_duration_seconds",
            "The duration of requests and operations.",
            ("operation",),
            buckets=LATENCIES,
            registry=registry,
        )
        self._events = Counter(
            "gatehouse_subscription_events",
            "Events that were sent to subscribers, counted at the end of each subscription.",
            registry=registry,
        )
        self._subscriptions = Gauge(
            "gatehouse_subscriptions",
            "Open subscriptions.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._refused = Counter(
            "gatehouse_documents_refused",
            "GraphQL documents that were refused before execution.",
            ("code",),
            registry=registry,
        )
        self._logins = Counter(
            "gatehouse_logins",
            "Steps of sign-ins: the first by its method or provider, and the second by the kind of its code.",
            ("method", "outcome"),
            registry=registry,
        )
        self._waits = Histogram(
            "gatehouse_hashing_wait_seconds",
            "How long requests waited for a slot in the hashing queue.",
            buckets=LATENCIES,
            registry=registry,
        )
        self._queued = Gauge(
            "gatehouse_hashing_queue",
            "Requests that wait for a slot in the hashing queue.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._connections = Gauge(
            "gatehouse_database_connections",
            "Connections in use, and requests that wait for one.",
            ("to", "state"),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._replica_lag = Gauge(
            "gatehouse_replica_lag_seconds",
            "How long the replica took to show what the primary had committed, or the time since it last did.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._replica_fallbacks = Counter(
            "gatehouse_replica_fallbacks",
            "Reads of the primary in place of the replica.",
            registry=registry,
        )
        self._mails = Counter(
            "gatehouse_mails",
            "Attempts to send a mail.",
            ("outcome",),
            registry=registry,
        )
        self._breach_lookups = Counter(
            "gatehouse_breach_lookups",
            "New passwords that were looked up in known breaches.",
            ("outcome",),
            registry=registry,
        )
        self._captchas = Counter(
            "gatehouse_captchas",
            "Captchas that were verified.",
            ("outcome",),
            registry=registry,
        )
        self._pictures = Counter(
            "gatehouse_pictures",
            "Pictures that users uploaded.",
            ("outcome",),
            registry=registry,
        )
        self._mail_wait = Gauge(
            "gatehouse_mail_wait_seconds",
            "How long the oldest mail that is due has waited.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._webhooks = Counter(
            "gatehouse_webhooks",
            "Attempts to call a webhook, by the number of its endpoint in WEBHOOKS.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self._webhook_wait = Gauge(
            "gatehouse_webhook_wait_seconds",
            "How long the oldest event that is due for an endpoint has waited.",
            ("endpoint",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._event_hooks = Counter(
            "gatehouse_event_hooks",
            "Attempts to call the hook on_event.",
            ("outcome",),
            registry=registry,
        )
        self._hook_failures = Counter(
            "gatehouse_hook_failures",
            "Calls of a hook that failed or returned something wrong.",
            ("hook",),
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def request_ended(self, record: RequestRecord) -> None:
        operation, code = _operation(record), _code(record)
        self._requests.labels(operation, code).inc()
        if record.events is None:
            self._seconds.labels(operation).observe(record.seconds)
        else:
            self._events.inc(record.events)
        if code in REFUSED_DOCUMENTS:
            self._refused.labels(code).inc()

    def sign_in_ended(self, method: str, outcome: str) -> None:
        self._logins.labels(method, outcome).inc()

    def slot_acquired(self, waited: float) -> None:
        self._waits.observe(waited)

    def mail_ended(self, outcome: DeliveryOutcome) -> None:
        self._mails.labels(outcome).inc()

    def breach_lookup_ended(self, outcome: BreachLookup) -> None:
        self._breach_lookups.labels(outcome).inc()

    def captcha_ended(self, outcome: CaptchaOutcome) -> None:
        self._captchas.labels(outcome).inc()

    def picture_ended(self, outcome: PictureOutcome) -> None:
        self._pictures.labels(outcome).inc()

    def mail_waits(self, seconds: float) -> None:
        self._mail_wait.set(seconds)

    def webhook_ended(self, endpoint: int, outcome: DeliveryOutcome) -> None:
        self._webhooks.labels(str(endpoint), outcome).inc()

    def webhook_waits(self, endpoint: int, seconds: float) -> None:
        self._webhook_wait.labels(str(endpoint)).set(seconds)

    def event_hook_ended(self, outcome: DeliveryOutcome) -> None:
        self._event_hooks.labels(outcome).inc()

    def hook_failed(self, hook: str) -> None:
        self._hook_failures.labels(hook).inc()

    def sampling(
        self, services: Services, subscriptions: Subscriptions
    ) -> AbstractAsyncContextManager[object]:
        """Sample the queues while the block runs. (Every process does so, since another one may
        serve the metrics.)"""
        return running(self._sample_forever(services, subscriptions))

    async def _sample_forever(self, services: Services, subscriptions: Subscriptions) -> None:
        replica, fallbacks = services.database.replica, 0
        while True:
            if replica is not None:
                self._replica_lag.set(replica.lag)
                self._replica_fallbacks.inc(replica.fallbacks - fallbacks)
                fallbacks = replica.fallbacks
            self._subscriptions.set(subscriptions.count)
            self._queued.set(services.hashing_queue.waiting)
            for to, queue in services.database.queues.items():
                self._connections.labels(to, "taken").set(queue.in_use)
                self._connections.labels(to, "waiting").set(queue.waiting)
            await asyncio.sleep(SAMPLE_EVERY.total_seconds())


@cache
def of_this_process() -> Metrics:
    return Metrics()


def _operation(record: RequestRecord) -> str:
    """Return the one field of Query or Mutation in the operation, that of Subscription with this
    word before it, or the method and template of a route."""
    match record:
        case RequestRecord(operation_type="subscription", fields=[only]):
            return f"subscription {only}"
        case RequestRecord(fields=[only]):
            return only
        case RequestRecord(fields=[_, *_]):
            return "several"
        case RequestRecord(route=None):
            return "unknown"
    return f"{record.method} {record.route}"


def _code(record: RequestRecord) -> str:
    if record.codes:
        return record.codes[0]
    status = record.status or 0
    return str(status) if status >= 400 else "OK"
