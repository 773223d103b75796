"""`gatehouse webhooks`, `gatehouse secret --webhook`, and their settings."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from db.database import Database
from domain import events, outbox
from domain.hooks import Hooks
from domain.hooks.send import QUEUE, SUBSCRIPTION, EventHookSender
from domain.services import Services
from domain.webhooks.send import EndpointSender
from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.fault_server import FaultServer, Response, serving
from tests.outboxes import let_pass, row, rows
from tests.servers import free_port
from tests.users import UNKNOWN_ID
from tests.webhooks import FORMER_SECRET, SECRET, publish, sender_to, webhooks_to


@pytest.fixture
def database(services: Services) -> Database:
    return services.database


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultServer]:
    async with serving(FaultServer()) as endpoint:
        endpoint.answers["/hook"] = lambda _: Response(204)
        yield endpoint


@pytest.fixture
def sender(database: Database, endpoint: FaultServer) -> EndpointSender:
    return sender_to(webhooks_to(f"{endpoint.url}/hook"), database)


async def webhooks(
    folder: Path, *arguments: str, url: str, database_url: str = "sqlite:///none.db"
) -> Run:
    """Run `gatehouse webhooks` in a thread: the endpoint is served in this one."""
    settings = {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "WEBHOOKS": url,
        "WEBHOOK_SECRETS": f"{SECRET},{FORMER_SECRET}" if url else "",
    }
    return await asyncio.to_thread(run, ["webhooks", *arguments], folder, **settings)


async def give_up(sender: EndpointSender) -> None:
    await publish(sender.database, webhooks_to(sender.endpoint.url))
    await let_pass(sender.database, events.LIFETIME)
    await sender.send_due()


async def test_a_failed_event_is_listed_and_retried(
    tmp_path: Path, database_url: str, sender: EndpointSender, endpoint: FaultServer
) -> None:
    await give_up(sender)
    failed = await row(sender.database)
    listed = await webhooks(tmp_path, "failed", url=sender.endpoint.url, database_url=database_url)
    assert listed.lines == [
        f"{failed.id}  {failed.created_at:%Y-%m-%d %H:%M:%S}  user.updated  endpoint 1: expired",
        "Gatehouse: 1 failed event.",
    ]

    retry = ("retry", str(failed.id))
    retried = await webhooks(tmp_path, *retry, url=sender.endpoint.url, database_url=database_url)
    assert retried.lines == ["Gatehouse: the event is due."]
    await sender.send_due()
    [request] = endpoint.requests
    assert request.headers["webhook-id"] == str(failed.id)
    assert Webhook(SECRET).verify(request.body, request.headers)


async def test_what_has_not_failed_cannot_be_retried(
    tmp_path: Path, database_url: str, sender: EndpointSender
) -> None:
    await publish(sender.database, webhooks_to(sender.endpoint.url))
    for id in (str((await row(sender.database)).id), UNKNOWN_ID):
        ended = await webhooks(
            tmp_path, "retry", id, url=sender.endpoint.url, database_url=database_url
        )
        assert (ended.status, ended.lines) == (1, ["gatehouse: no failed event has this id"])


async def test_events_of_the_hook_and_of_a_former_endpoint_are_listed(
    tmp_path: Path, database_url: str, sender: EndpointSender
) -> None:
    await give_up(sender)
    async with sender.database.writing() as session:
        session.info[events.SUBSCRIPTIONS] = [SUBSCRIPTION]
        events.publish(session, events.EventType.USER_DELETED, user_id=UUID(UNKNOWN_ID))
    await let_pass(sender.database, events.LIFETIME)
    await EventHookSender(sender.database, Hooks()).send_due()

    listed = await webhooks(
        tmp_path, "failed", url="https://other.example", database_url=database_url
    )
    hook, former, _ = listed.lines
    assert hook.endswith("  user.deleted  on_event: expired")
    assert former.endswith("  user.updated  an endpoint that is not in WEBHOOKS: expired")


async def test_no_failed_event_is_a_line(
    tmp_path: Path, database_url: str, sender: EndpointSender
) -> None:
    listed = await webhooks(tmp_path, "failed", url=sender.endpoint.url, database_url=database_url)

    assert listed.lines == ["Gatehouse: no failed events."]


@pytest.mark.any_database
async def test_a_test_event_is_signed_and_each_answer_printed(
    tmp_path: Path, endpoint: FaultServer
) -> None:
    accepted = await webhooks(tmp_path, "test", url=f"{endpoint.url}/hook")
    refused = await webhooks(tmp_path, "test", url=f"{endpoint.url}/hook,{endpoint.url}/none")

    assert (accepted.status, accepted.lines) == (0, ["endpoint 1: accepted"])
    assert refused.status == 1
    assert refused.lines == [
        "endpoint 1: accepted",
        "endpoint 2: answered with status 404",
        "gatehouse: not every endpoint accepted the event",
    ]
    request = endpoint.requests[0]
    for secret in (SECRET, FORMER_SECRET):
        event = Webhook(secret).verify(request.body, request.headers)
        assert event["type"] == "webhook.test"


@pytest.mark.any_database
async def test_an_endpoint_that_is_away_is_said_without_its_address(tmp_path: Path) -> None:
    port = free_port()
    ended = await webhooks(tmp_path, "test", url=f"http://127.0.0.1:{port}/a-secret-path")

    assert ended.status == 1
    assert ended.lines[0].startswith("endpoint 1: cannot connect: ")
    assert "a-secret-path" not in ended.stdout + ended.stderr


async def test_without_webhooks_there_is_nothing_to_test(tmp_path: Path) -> None:
    ended = await webhooks(tmp_path, "test", url="")

    assert (ended.status, ended.lines) == (1, ["gatehouse: WEBHOOKS is not set"])


def test_a_new_secret_is_one_that_the_public_library_takes(tmp_path: Path) -> None:
    first, second = (run(["secret", "--webhook"], tmp_path).stdout.strip() for _ in range(2))

    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first)
    assert first != second
    assert Webhook(first)
    checked = run(
        ["check"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        WEBHOOKS="https://a.example/hook",
        WEBHOOK_SECRETS=first,
    )
    assert "ok       WEBHOOK_SECRETS: 1" in checked.lines


URLS = "WEBHOOKS must be addresses such as https://app.example.com/webhooks, separated by commas"
SECRETS = (
    "WEBHOOK_SECRETS must be whsec_ and 24 to 64 bytes in base64 each, separated by commas;"
    " make one with `gatehouse secret --webhook`"
)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"WEBHOOKS": "a.example/hook"}, URLS),
        ({"WEBHOOKS": "ftp://a.example/hook"}, URLS),
        ({"WEBHOOKS": "https://user:secret@a.example/hook"}, URLS),
        ({"WEBHOOKS": "https://a.example/hook#part"}, URLS),
        ({"WEBHOOKS": "https://a.example:0/"}, URLS),
        ({"WEBHOOKS": "https://[::1/"}, URLS),
        ({"WEBHOOKS": "https://bücher.example/"}, URLS),
        (
            {"WEBHOOKS": "https://a.example,https://a.example"},
            "WEBHOOKS must be at most 20 different addresses",
        ),
        (
            {"WEBHOOKS": ",".join(f"https://a.example/{n}" for n in range(21))},
            "WEBHOOKS must be at most 20 different addresses",
        ),
        (
            {"WEBHOOK_SECRETS": ""},
            "WEBHOOK_SECRETS is required with WEBHOOKS; make one with `gatehouse secret --webhook`",
        ),
        ({"WEBHOOK_SECRETS": SECRET[6:]}, SECRETS),
        ({"WEBHOOK_SECRETS": f"{SECRET},whsec_c2hvcnQ="}, SECRETS),
        ({"WEBHOOK_SECRETS": f"whsec_{'A' * 88}"}, SECRETS),
        ({"WEBHOOK_SECRETS": "whsec_A"}, SECRETS),
        ({"WEBHOOK_EVENTS": "user.delete"}, "WEBHOOK_EVENTS: no event matches user.delete"),
        (
            {"WEBHOOK_EVENTS": "[a]"},
            "WEBHOOK_EVENTS must be names such as user.*, separated by commas",
        ),
        (
            {"ENVIRONMENT": "production", "WEBHOOKS": "HTTP://127.0.0.1/hook"},
            "WEBHOOKS must be https, except with ENVIRONMENT=development",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(
    tmp_path: Path, changes: dict[str, str], line: str
) -> None:
    settings = {
        "SECRET_KEY": SECRET_KEY,
        "WEBHOOKS": "https://a.example/hook",
        "WEBHOOK_SECRETS": SECRET,
    }
    ended = run(["check"], tmp_path, **settings | changes)

    assert (ended.status, ended.lines) == (1, [f"gatehouse: {line}"])


def test_check_says_who_is_told_and_what_to_do_next(tmp_path: Path) -> None:
    urls = "http://hooks.example/a,http://127.0.0.1/b,https://hooks.example/c"
    checked = run(
        ["check"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        WEBHOOKS=urls,
        WEBHOOK_SECRETS=f"{SECRET},{FORMER_SECRET}",
    )

    assert "problem  WEBHOOKS: is not https at 1: anyone can read the events" in checked.lines
    assert (
        "warning  WEBHOOK_SECRETS: has 2: remove the former ones when all endpoints know the new one"
        in checked.lines
    )
    assert "ok       HOOKS: not set" in checked.lines
    assert "hooks.example" not in checked.stdout


async def test_a_queue_that_keeps_what_failed_keeps_its_payload(
    sender: EndpointSender, database: Database
) -> None:
    await give_up(sender)

    [failed] = await rows(database)
    assert failed.payload
    assert QUEUE.keeps_failed
    assert await outbox.claim(database, sender.queue) == []
