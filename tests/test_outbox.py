"""The outbox: who gets which message, and when again."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from db.database import Database
from domain import outbox
from domain.mail.send import QUEUE
from domain.outbox import OutboxKind
from domain.services import Services
from tests.clocks import moved_clock
from tests.outboxes import add_mails, let_pass, row, rows


@pytest.fixture
def database(services: Services) -> Database:
    return services.database


async def test_eight_claimers_get_each_message_once(database: Database) -> None:
    await add_mails(database, 200)

    async def claim_all() -> list[str]:
        claimed: list[str] = []
        while batch := await outbox.claim(database, QUEUE):
            claimed += [one.payload["subject"] for one in batch]
        return claimed

    claimed = await asyncio.gather(*(claim_all() for _ in range(8)))

    assert sorted(chain(*claimed), key=int) == [str(n) for n in range(200)]


async def test_the_oldest_come_first_ten_at_a_time(database: Database) -> None:
    await add_mails(database, 12)

    first = await outbox.claim(database, QUEUE)
    second = await outbox.claim(database, QUEUE)

    assert {one.payload["subject"] for one in first} == {str(n) for n in range(10)}
    assert {one.payload["subject"] for one in second} == {"10", "11"}


async def test_a_message_that_is_rolled_back_is_never_sent(database: Database) -> None:
    written = database.outbox_written
    with suppress(ZeroDivisionError):
        async with database.writing() as session:
            outbox.add(session, OutboxKind.MAIL, {}, expires_at=datetime.now(UTC))
            raise ZeroDivisionError

    assert await rows(database) == []
    assert not written.is_set()


async def test_a_lease_that_has_run_out_leads_to_another_claim(database: Database) -> None:
    await add_mails(database)
    await outbox.claim(database, QUEUE)

    assert await outbox.claim(database, QUEUE) == []
    await let_pass(database, QUEUE.lease)
    [again] = await outbox.claim(database, QUEUE)
    assert again.attempts == 2


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_machine_with_another_clock_claims_when_all_others_do(
    database: Database, ahead: timedelta
) -> None:
    with moved_clock(ahead):
        await add_mails(database)
    [claimed] = await outbox.claim(database, QUEUE)
    with moved_clock(-ahead):
        assert await outbox.claim(database, QUEUE) == []
        await outbox.retry_later(database, QUEUE, claimed, "away")
    assert await outbox.claim(database, QUEUE) == []
    await let_pass(database, QUEUE.backoff[0])
    with moved_clock(ahead):
        assert len(await outbox.claim(database, QUEUE)) == 1


async def test_a_process_that_was_too_slow_does_not_put_off_the_next_ones_work(
    database: Database,
) -> None:
    await add_mails(database)
    [slow] = await outbox.claim(database, QUEUE)
    await let_pass(database, QUEUE.lease)
    [next_one] = await outbox.claim(database, QUEUE)
    await outbox.retry_later(database, QUEUE, slow, "slow")

    assert (await row(database)).lease_until == next_one.lease_until


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 10), (2, 60), (3, 300), (4, 900), (5, 3600), (6, 3600)]
)
async def test_each_attempt_waits_longer(database: Database, attempt: int, seconds: int) -> None:
    await add_mails(database, lifetime=timedelta(days=2))
    for _ in range(attempt):
        await let_pass(database, QUEUE.backoff[-1])
        [claimed] = await outbox.claim(database, QUEUE)
        await outbox.retry_later(database, QUEUE, claimed, "away")

    assert claimed.lease_until
    waits = (await row(database)).due_at - (claimed.lease_until - QUEUE.lease)
    assert timedelta(seconds=seconds) <= waits <= timedelta(seconds=seconds + 5)


async def test_a_message_is_due_again_when_it_expires_at_the_latest(database: Database) -> None:
    await add_mails(database, lifetime=timedelta(seconds=5))
    [claimed] = await outbox.claim(database, QUEUE)
    await outbox.retry_later(database, QUEUE, claimed, "away")

    assert (await row(database)).due_at == claimed.expires_at


async def test_what_was_not_tried_is_due_at_once_and_has_no_attempt(database: Database) -> None:
    await add_mails(database)
    await outbox.release(database, await outbox.claim(database, QUEUE))
    [again] = await outbox.claim(database, QUEUE)

    assert again.attempts == 1


async def test_nothing_is_kept_of_what_a_message_said(database: Database) -> None:
    await add_mails(database, 2)
    sent, failed = await outbox.claim(database, QUEUE)
    await outbox.mark_done(database, sent)
    await outbox.give_up(database, QUEUE, failed, "550\0" + "x" * 300)

    assert [one.payload for one in await rows(database)] == [{}, {}]
    assert await outbox.claim(database, QUEUE) == []


async def test_the_oldest_due_is_measured_while_it_is_sent_too(database: Database) -> None:
    async def wait() -> timedelta | None:
        async with database.reading() as session:
            return await outbox.longest_wait(session, QUEUE)

    assert await wait() is None
    await add_mails(database, 2)
    await let_pass(database, timedelta(minutes=30))
    first, second = await outbox.claim(database, QUEUE)
    waited = await wait()
    assert waited
    assert timedelta(minutes=30) <= waited < timedelta(minutes=40)
    await outbox.mark_done(database, first)
    await outbox.retry_later(database, QUEUE, second, "away")
    assert await wait() is None
