"""What is counted, as Prometheus has it. `api/scraping.py` shows it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import cache

from api.background import beside
from api.dependencies import Services
from api.telemetry.request import Exchange
from domain.errors import ErrorCode
from domain.observer import Observer

# In seconds: from an answer without a wait to one that has waited for all that it may.
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
    """Labels are names of the schema, templates of routes and codes of ours: a client can make no new ones.

    prometheus-client is imported with the first of these: nobody pays for what they do not use.
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
            "Requests and operations over WebSockets that are over, by what they asked for and the code of their first error.",
            ("operation", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "gatehouse_request_duration_seconds",
            "How long they took.",
            ("operation",),
            buckets=LATENCIES,
            registry=registry,
        )
        self._refused = Counter(
            "gatehouse_documents_refused",
            "GraphQL documents that were not executed.",
            ("code",),
            registry=registry,
        )
        self._logins = Counter(
            "gatehouse_logins",
            "Passwords that were sent to log in with, by `login` or to /token.",
            ("outcome",),
            registry=registry,
        )
        self._waits = Histogram(
            "gatehouse_hashing_wait_seconds",
            "How long callers with a password waited for their turn.",
            buckets=LATENCIES,
            registry=registry,
        )
        self._queued = Gauge(
            "gatehouse_hashing_queue",
            "Callers with a password that wait for their turn.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._connections = Gauge(
            "gatehouse_database_connections",
            "Connections in use, and callers that wait for one.",
            ("to", "state"),
            registry=registry,
            multiprocess_mode="livesum",
        )
        ProcessCollector(registry=registry)

    def exchange_ended(self, exchange: Exchange) -> None:
        operation, code = _operation(exchange), _code(exchange)
        self._requests.labels(operation, code).inc()
        self._seconds.labels(operation).observe(exchange.seconds)
        if code in REFUSED_DOCUMENTS:
            self._refused.labels(code).inc()

    def login_ended(self, outcome: str) -> None:
        self._logins.labels(outcome).inc()

    def turn_came(self, waited: float) -> None:
        self._waits.observe(waited)

    def sampling(self, services: Services) -> AbstractAsyncContextManager[None]:
        """Look at the queues while the block runs. (Each process has to: who is asked for them may be another.)"""
        return beside(self._sample_for_ever(services))

    async def _sample_for_ever(self, services: Services) -> None:
        while True:
            self._queued.set(services.gate.passwords.waiting)
            for to, turns in services.gate.database.turns.items():
                self._connections.labels(to, "taken").set(turns.taken)
                self._connections.labels(to, "waiting").set(turns.waiting)
            await asyncio.sleep(SAMPLE_EVERY.total_seconds())


@cache
def of_this_process() -> Metrics:
    return Metrics()


def _operation(exchange: Exchange) -> str:
    """The one field of Query or Mutation that was asked for, or the method and template of a route."""
    match exchange:
        case Exchange(fields=[only]):
            return only
        case Exchange(fields=[_, *_]):
            return "several"
        case Exchange(route=None):
            return "unknown"
    return f"{exchange.method} {exchange.route}"


def _code(exchange: Exchange) -> str:
    if exchange.codes:
        return exchange.codes[0]
    status = exchange.status or 0
    return str(status) if status >= 400 else "OK"
