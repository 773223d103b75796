"""How webhooks are sent: to a real HTTP server, in all the ways in which one can fail."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api import background
from db.database import Database
from domain import events, outbox
from domain.events import EventType
from domain.observer import DeliveryOutcome, Observer
from domain.outbox import OutboxKind
from domain.services import Services
from domain.webhooks import send
from domain.webhooks.send import EndpointSender, create_senders
from tests import fault_server as faults
from tests.fault_server import Answerer, Fault, FaultServer, Request, Response, serving
from tests.outboxes import let_pass, row, rows
from tests.servers import TIMEOUT_SECONDS, free_port
from tests.webhooks import FORMER_SECRET, SECRET, ids_of, publish, sender_to, webhooks_to

ACCEPTED = Response(204)

# Of the whole schedule: as long as the waits are at most.
WAITS = [wait * 1.1 for wait in events.BACKOFF]


@pytest.fixture
def database(services: Services) -> Database:
    return services.database


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultServer]:
    async with serving(FaultServer()) as endpoint:
        endpoint.answers["/hook"] = always(ACCEPTED)
        yield endpoint


@pytest.fixture
def sender(database: Database, endpoint: FaultServer) -> EndpointSender:
    return sender_to(webhooks_to(f"{endpoint.url}/hook"), database)


def always(answer: Response | Fault) -> Answerer:
    return lambda _: answer


async def publish_to(sender: EndpointSender, count: int = 1) -> None:
    await publish(sender.database, webhooks_to(sender.endpoint.url), count)


async def let_all_attempts_fail(sender: EndpointSender) -> None:
    for wait in [timedelta(), *WAITS]:
        await let_pass(sender.database, wait)
        await sender.send_due()


# ---- What is sent ----


async def test_the_public_library_verifies_a_webhook(
    sender: EndpointSender, endpoint: FaultServer
) -> None:
    await publish_to(sender)
    await sender.send_due()

    [request] = endpoint.requests
    event = Webhook(SECRET).verify(request.body, request.headers)
    assert event["type"] == "user.updated"
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == str((await row(sender.database)).id)


async def test_receivers_verify_with_either_secret_while_one_is_replaced(
    sender: EndpointSender, endpoint: FaultServer
) -> None:
    both = replace(sender, secrets=(SECRET, FORMER_SECRET))
    for one in (replace(sender, secrets=(FORMER_SECRET,)), both, sender):
        await publish_to(sender)
        await one.send_due()

    before, during, after = endpoint.requests
    for secret, request in [
        (FORMER_SECRET, before),
        (FORMER_SECRET, during),
        (SECRET, during),
        (SECRET, after),
    ]:
        assert Webhook(secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(FORMER_SECRET).verify(after.body, after.headers)


async def test_a_webhook_is_not_valid_with_another_body_or_id(
    sender: EndpointSender, endpoint: FaultServer
) -> None:
    await publish_to(sender)
    await sender.send_due()

    [request] = endpoint.requests
    for body, headers in [
        (request.body + b" ", request.headers),
        (request.body, {**request.headers, "webhook-id": "another"}),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, headers)


async def test_no_redirect_is_followed_and_no_proxy_used(
    sender: EndpointSender, endpoint: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    endpoint.answers["/hook"] = always(faults.redirect(f"{endpoint.url}/other"))
    await publish_to(sender)
    await sender.send_due()

    assert [request.path for request in endpoint.requests] == ["/hook"]
    assert (await row(sender.database)).error == "answered with status 302"


# ---- Failures ----


async def test_an_endpoint_that_is_down_for_a_day_gets_every_event_when_it_is_back(
    database: Database,
) -> None:
    port = free_port()
    sender = sender_to(webhooks_to(f"http://127.0.0.1:{port}/hook"), database)
    for _ in range(24):
        await publish_to(sender)
        await sender.send_due()
        await let_pass(database, timedelta(hours=1))
    assert not any(one.done_at or one.failed_at for one in await rows(database))

    endpoint = FaultServer(answers={"/hook": always(ACCEPTED)})
    async with serving(endpoint, port=port):
        await let_pass(database, timedelta(hours=24))
        await sender.send_due()

    assert len(set(ids_of(endpoint.requests))) == len(endpoint.requests) == 24
    assert all(one.done_at for one in await rows(database))


async def test_every_attempt_has_the_same_id_and_body_and_its_own_time(
    sender: EndpointSender, endpoint: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers["/hook"] = always(Response(500))
    await publish_to(sender)
    now = time.time()
    for seconds in (0, 60):
        clock = SimpleNamespace(time=lambda at=now + seconds: at, monotonic=time.monotonic)
        monkeypatch.setattr(send, "time", clock)
        await sender.send_due()
        await let_pass(sender.database, WAITS[0])

    first, second = endpoint.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 60
    assert Webhook(SECRET).verify(second.body, second.headers)


async def test_a_process_that_is_killed_after_the_request_leads_to_the_same_id(
    sender: EndpointSender, endpoint: FaultServer
) -> None:
    await publish_to(sender)
    [claimed] = await outbox.claim(sender.database, sender.queue)
    client = send.new_client()
    await sender._attempt(client, claimed)
    await client.close()
    await let_pass(sender.database, sender.queue.lease)
    await sender.send_due()

    first, again = endpoint.requests
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(500), "answered with status 500"),
        (Response(400), "answered with status 400"),
        (Response(301), "answered with status 301"),
        (faults.close, "RemoteProtocolError"),
        (faults.garbage, "RemoteProtocolError"),
        (faults.hang, "no complete answer within 0.3 seconds"),
        (faults.hang_in_headers, "no complete answer within 0.3 seconds"),
    ],
)
async def test_a_failure_is_tried_again(
    sender: EndpointSender,
    endpoint: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Response | Fault,
    error: str,
) -> None:
    if error.startswith("no complete"):
        monkeypatch.setattr(send, "TIMEOUT", timedelta(seconds=0.3))
    endpoint.answers["/hook"] = always(answer)
    await publish_to(sender)
    await sender.send_due()

    failed = await row(sender.database)
    assert (failed.error, failed.attempts, failed.failed_at) == (error, 1, None)
    endpoint.answers["/hook"] = always(ACCEPTED)
    monkeypatch.undo()
    await let_pass(sender.database, WAITS[0])
    await sender.send_due()
    assert (await row(sender.database)).done_at


@pytest.mark.parametrize("answer", [Response(200, b"x" * 100_000), Response(299)])
async def test_any_2xx_is_success_whatever_its_body(
    sender: EndpointSender, endpoint: FaultServer, answer: Response
) -> None:
    endpoint.answers["/hook"] = always(answer)
    await publish_to(sender)
    await sender.send_due()

    assert (await row(sender.database)).done_at


async def test_the_waits_are_those_of_standard_webhooks(
    sender: EndpointSender, endpoint: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answers["/hook"] = always(Response(500))
    await publish_to(sender)
    for attempt, wait in enumerate(events.BACKOFF, start=1):
        before = datetime.now(UTC)
        await sender.send_due()
        waits = (await row(sender.database)).due_at - before
        assert wait <= waits <= wait * 1.1 + timedelta(seconds=TIMEOUT_SECONDS)
        assert len(endpoint.requests) == attempt
        await let_pass(sender.database, waits)
    await sender.send_due()

    given_up = await row(sender.database)
    assert (given_up.failed_at is not None, given_up.attempts) == (True, 10)
    assert json.loads(given_up.payload["body"])["type"] == "user.updated"
    assert caplog.records[-1].levelno == logging.ERROR
    assert endpoint.url not in caplog.text


async def test_410_ends_the_webhooks_of_an_endpoint_until_the_next_start(
    sender: EndpointSender, endpoint: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answers["/hook"] = always(Response(410))
    await publish_to(sender, 3)
    await sender.send_due()
    await let_pass(sender.database, timedelta(hours=1))
    await sender.send_due()

    assert len(endpoint.requests) == 1
    assert "Endpoint 1 of WEBHOOKS answered 410" in caplog.text
    endpoint.answers["/hook"] = always(ACCEPTED)
    await sender_to(webhooks_to(sender.endpoint.url), sender.database).send_due()
    assert all(one.done_at for one in await rows(sender.database))


@pytest.mark.parametrize("status", [429, 502, 504])
async def test_an_overloaded_endpoint_is_left_alone_for_a_minute(
    sender: EndpointSender, endpoint: FaultServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    endpoint.answers["/hook"] = always(Response(status))
    await publish_to(sender, 3)
    await sender.send_due()
    await sender.send_due()
    assert len(endpoint.requests) == 1

    endpoint.answers["/hook"] = always(ACCEPTED)
    in_a_minute = time.monotonic() + 61
    clock = SimpleNamespace(time=time.time, monotonic=lambda: in_a_minute)
    monkeypatch.setattr(send, "time", clock)
    await sender.send_due()
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("header", "least"),
    [
        ("3600", timedelta(hours=1)),
        ("Wed, 26 Nov 2098 12:00:00 GMT", timedelta(hours=23)),
        ("Thu, 26 Nov 1998 12:00:00 GMT", timedelta(0)),
        ("9" * 30, timedelta(hours=23)),
        ("soon", timedelta(0)),
        ("-1", timedelta(0)),
    ],
)
async def test_retry_after_is_heeded(
    sender: EndpointSender, endpoint: FaultServer, header: str, least: timedelta
) -> None:
    endpoint.answers["/hook"] = always(Response(503, headers={"Retry-After": header}))
    await publish_to(sender)
    before = datetime.now(UTC)
    await sender.send_due()

    waits = (await row(sender.database)).due_at - before
    assert least <= waits <= timedelta(hours=24, minutes=1)


async def test_an_event_that_has_expired_is_not_sent(
    sender: EndpointSender, endpoint: FaultServer
) -> None:
    await publish_to(sender)
    await let_pass(sender.database, events.LIFETIME)
    await sender.send_due()

    assert endpoint.requests == []
    assert (await row(sender.database)).error == "expired"


# ---- Several endpoints ----


async def test_a_dead_endpoint_delays_no_other(database: Database) -> None:
    """A hundred events are for an endpoint that never answers."""
    alive, dead = FaultServer(), FaultServer()
    all_arrived = asyncio.Event()

    def accept(_: Request) -> Response:
        if len(alive.requests) == 20:
            all_arrived.set()
        return ACCEPTED

    alive.answers["/hook"], dead.answers["/hook"] = accept, always(faults.hang)
    async with serving(alive), serving(dead):
        webhooks = webhooks_to(f"{dead.url}/hook", f"{alive.url}/hook")
        await publish(database, webhooks_to(f"{dead.url}/hook"), 100)
        await publish(database, webhooks, 20)
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            background.sending(database, create_senders(database, webhooks, Observer())),
        ):
            await all_arrived.wait()

    assert len(set(ids_of(alive.requests))) == 20
    # The rest waits: one request at a time.
    assert len(dead.requests) == 1


async def test_at_most_four_requests_run_at_once_and_one_for_each_endpoint(
    database: Database,
) -> None:
    most = {"all": 0}
    running: list[str] = []
    served: list[str] = []
    four = asyncio.Event()

    async def answer(path: str, writer: asyncio.StreamWriter) -> None:
        running.append(path)
        most["all"] = max(most["all"], len(running))
        most[path] = max(most.get(path, 0), running.count(path))
        if len(running) == send.MAX_REQUESTS:
            four.set()
        await four.wait()
        running.remove(path)
        served.append(path)
        writer.write(ACCEPTED.encoded())
        await writer.drain()

    class Endpoints(FaultServer):
        def answer(self, request: Request) -> Fault:
            return lambda writer: answer(request.path, writer)

    async with serving(Endpoints()) as endpoints:
        webhooks = webhooks_to(*(f"{endpoints.url}/{number}" for number in range(6)))
        await publish(database, webhooks, 4)
        senders = create_senders(database, webhooks, Observer())
        await asyncio.gather(*(sender.send_due() for sender in senders))

    assert len(served) == 24
    assert most == {"all": 4, **{f"/{number}": 1 for number in range(6)}}


async def test_eight_processes_send_each_event_once(
    database: Database, endpoint: FaultServer
) -> None:
    webhooks = webhooks_to(f"{endpoint.url}/hook")
    await publish(database, webhooks, 40)
    await asyncio.gather(*(sender_to(webhooks, database).send_due() for _ in range(8)))

    assert len(set(ids_of(endpoint.requests))) == len(endpoint.requests) == 40


async def test_an_endpoint_is_known_in_any_order_of_the_settings(
    sender: EndpointSender, database: Database, endpoint: FaultServer
) -> None:
    await publish_to(sender)
    other, same = create_senders(
        database, webhooks_to("https://new.example/hook", sender.endpoint.url), Observer()
    )
    await other.send_due()
    await same.send_due()

    assert len(endpoint.requests) == 1
    assert (await row(database)).done_at


async def test_mail_and_webhooks_are_queues_of_their_own(
    sender: EndpointSender, database: Database
) -> None:
    await publish_to(sender)

    assert await outbox.claim(database, outbox.Queue(OutboxKind.MAIL)) == []
    assert await outbox.claim(database, events.queue(OutboxKind.WEBHOOK, "another")) == []
    assert len(await outbox.claim(database, sender.queue)) == 1


async def test_the_attempts_and_the_wait_are_observed(
    database: Database, endpoint: FaultServer
) -> None:
    class Log(Observer):
        outcomes: list[tuple[int, DeliveryOutcome]] = []  # noqa: RUF012
        waits: list[float] = []  # noqa: RUF012

        def webhook_ended(self, endpoint: int, outcome: DeliveryOutcome) -> None:
            self.outcomes.append((endpoint, outcome))

        def webhook_waits(self, endpoint: int, seconds: float) -> None:
            self.waits.append(seconds)

    sender = sender_to(webhooks_to(f"{endpoint.url}/hook"), database, Log())
    endpoint.answers["/hook"] = always(Response(500))
    await publish_to(sender)
    await let_pass(database, timedelta(minutes=5))
    await let_all_attempts_fail(sender)
    endpoint.answers["/hook"] = always(ACCEPTED)
    await publish_to(sender)
    await sender.send_due()

    retried = [(1, DeliveryOutcome.RETRIED)] * len(events.BACKOFF)
    assert Log.outcomes == [*retried, (1, DeliveryOutcome.FAILED), (1, DeliveryOutcome.SENT)]
    assert 300 <= Log.waits[0] < 600
    assert Log.waits[-1] == 0


def test_an_event_type_has_the_form_of_standard_webhooks() -> None:
    assert all(set(type) <= set("abcdefghijklmnopqrstuvwxyz.") for type in EventType)
