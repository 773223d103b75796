"""A network that keeps the event loop busy does not hold up the others."""

import asyncio
import gc
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from statistics import median

import pytest
from graphql import get_introspection_query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect
from starlette.types import Message
from strawberry.types import ExecutionResult

from api import fair_scheduler
from api.fair_scheduler import (
    LONGEST_TURN,
    MAX_WAITING,
    SAVED,
    SECONDS_BESIDES,
    SHARE_OF_NETWORK,
    FairScheduler,
)
from api.graphql.limited_socket import MESSAGE_SECONDS, LimitedSocket
from api.graphql.socket_limits import SOCKET, Share
from domain.errors import Overloaded
from domain.loop_time import charge, charge_same
from domain.services import Services
from domain.token_bucket import TokenBucket
from graphql_schema.engine.limits import Limits
from graphql_schema.loaders import Loaders
from graphql_schema.schema import Schema
from tests.clocks import stopped_buckets

UNLIMITED = Limits(depth=100, aliases=100, tokens=10_000, cost=1_000_000)

STEP_SECONDS = 0.005


async def work(steps: int = 4, done: list[None] | None = None) -> None:
    for _ in range(steps):
        if done is not None:
            done.append(None)
        until = time.perf_counter() + STEP_SECONDS
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)


async def keep_busy(
    scheduler: FairScheduler, network: str, connections: int, done: list[None]
) -> None:
    async def ask_again_and_again() -> None:
        while True:
            await scheduler.run(network, work(done=done))

    async with asyncio.TaskGroup() as connected:
        for _ in range(connections):
            connected.create_task(ask_again_and_again())


async def use_up_the_time_of(scheduler: FairScheduler, network: str) -> None:
    steps = 2 * SAVED.total_seconds() * SHARE_OF_NETWORK / STEP_SECONDS
    await scheduler.run(network, work(int(steps)))


def number_in_saved_time(seconds: float) -> int:
    return math.ceil(SAVED.total_seconds() * SHARE_OF_NETWORK / seconds)


async def waits_of(scheduler: FairScheduler, network: str) -> float:
    """Return the median time that short work takes, of ten times."""
    times = []
    for _ in range(10):
        started = time.perf_counter()
        await scheduler.run(network, asyncio.sleep(0))
        times.append(time.perf_counter() - started)
    return median(times)


async def begins_at_once(scheduler: FairScheduler, network: str) -> bool:
    """Return whether work of a network begins without a wait while another network has work."""
    await scheduler.run("other", asyncio.sleep(0))
    has_begun = asyncio.Event()

    async def begin() -> None:
        has_begun.set()

    task = asyncio.create_task(scheduler.run(network, begin()))
    await asyncio.sleep(0)
    at_once = has_begun.is_set()
    task.cancel()
    return at_once


@pytest.fixture
def _nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let networks keep what they have used up, and count as busy, however long the test takes."""
    monkeypatch.setattr(fair_scheduler, "REMEMBERED", timedelta.max)
    with stopped_buckets():
        yield


async def test_another_network_waits_for_one_step_and_not_for_sixteen() -> None:
    scheduler = FairScheduler()
    done: list[None] = []
    attack = asyncio.create_task(keep_busy(scheduler, "busy", connections=16, done=done))
    await scheduler.run("other", asyncio.sleep(0.3))

    waited_for = []
    for _ in range(10):
        before = len(done)
        await scheduler.run("other", asyncio.sleep(0))
        waited_for.append(len(done) - before)

    attack.cancel()
    assert median(waited_for) < 4


async def test_a_network_alone_gets_all_of_the_time() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "alone")
    all_at_once = asyncio.Barrier(200)

    # One after the other would take four seconds.
    async with asyncio.timeout(1):
        await asyncio.gather(*(scheduler.run("alone", all_at_once.wait()) for _ in range(200)))


async def test_work_that_waits_does_not_hold_up_its_network() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    never = asyncio.Event()
    waiting = [
        asyncio.create_task(scheduler.run(network, never.wait()))
        for network in ("other", "busy", "busy")
    ]

    async with asyncio.timeout(5):
        await scheduler.run("busy", asyncio.sleep(0))

    for task in waiting:
        task.cancel()


async def test_work_that_waits_holds_up_its_network_once() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    never = asyncio.Event()
    waiting = [
        asyncio.create_task(scheduler.run(network, never.wait()))
        for network in ("other", "busy", "busy")
    ]
    await scheduler.run("busy", asyncio.sleep(0))

    assert await waits_of(scheduler, "busy") < LONGEST_TURN.total_seconds() / 2

    for task in waiting:
        task.cancel()


async def test_work_waits_no_longer_than_others_have_work() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    await scheduler.run("other", asyncio.sleep(0))

    all_at_once = asyncio.Barrier(MAX_WAITING)

    # In turns, they would take five seconds.
    async with asyncio.timeout(2):
        await asyncio.gather(
            *(scheduler.run("busy", all_at_once.wait()) for _ in range(MAX_WAITING))
        )


@pytest.mark.usefixtures("_nothing_is_forgotten")
async def test_requests_without_work_use_time() -> None:
    scheduler = FairScheduler()
    assert await begins_at_once(scheduler, "busy")

    for _ in range(number_in_saved_time(SECONDS_BESIDES)):
        await scheduler.run("busy", asyncio.sleep(0))

    assert not await begins_at_once(scheduler, "busy")


@pytest.mark.usefixtures("_nothing_is_forgotten")
async def test_messages_without_work_use_time() -> None:
    scheduler = FairScheduler()

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": ""}

    async def send(_: Message) -> None:
        pass

    share = Share(replace(SOCKET, messages_at_once=10_000))
    socket = LimitedSocket({}, receive, send, share, partial(scheduler.pace, "busy"))

    for _ in range(number_in_saved_time(MESSAGE_SECONDS)):
        assert await socket.receive() == await receive()

    assert not await begins_at_once(scheduler, "busy")


async def test_the_time_of_tasks_that_the_work_starts_counts() -> None:
    bucket = TokenBucket(rate=0, capacity=STEP_SECONDS)

    async def start_tasks() -> None:
        await asyncio.gather(*(charge_same(work()) for _ in range(2)))

    await charge(start_tasks(), bucket)

    assert bucket.left < 0


async def test_the_time_of_a_loader_counts(services: Services) -> None:
    bucket = TokenBucket(rate=0, capacity=STEP_SECONDS)

    async def read(_: AsyncSession, keys: list[int]) -> list[int]:
        await work()
        return keys

    async def load() -> int:
        return await Loaders(services.database).of(read).load(1)

    assert await charge(load(), bucket) == 1
    assert bucket.left < 0


async def test_the_time_of_operations_over_a_websocket_counts() -> None:
    bucket = TokenBucket(rate=0, capacity=STEP_SECONDS)
    schema = Schema(UNLIMITED, deadline=timedelta(minutes=1))

    async def execute() -> None:
        for _ in range(20):
            async for result in await schema.stream(get_introspection_query()):
                assert isinstance(result, ExecutionResult)
                assert result.data

    await charge(execute(), bucket)

    assert bucket.left < 0


async def test_a_bucket_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = TokenBucket(rate=1, capacity=1)
    bucket.take(2)
    assert bucket.left < 0

    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert bucket.left == 1


async def test_results_errors_and_cancellation_pass_through() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")

    async def fail() -> None:
        raise LookupError

    for network in ("other", "busy"):
        assert await scheduler.run(network, asyncio.sleep(0, "result")) == "result"
        with pytest.raises(LookupError):
            await scheduler.run(network, fail())
        task = asyncio.create_task(scheduler.run(network, asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("_nothing_is_forgotten")
async def test_work_that_is_cancelled_before_its_turn_never_begins() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    tasks = [
        asyncio.create_task(scheduler.run(network, asyncio.Event().wait()))
        for network in ("other", *["busy"] * 5)
    ]
    await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as warned:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        gc.collect()

    assert not warned


@pytest.mark.usefixtures("_nothing_is_forgotten")
async def test_work_of_a_client_that_has_left_never_begins() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    await scheduler.run("other", asyncio.sleep(0))
    begun = False

    async def begin() -> None:
        nonlocal begun
        begun = True

    with pytest.raises(ClientDisconnect):
        await scheduler.run("busy", begin(), is_dropped=lambda: True)

    assert not begun


@pytest.mark.usefixtures("_nothing_is_forgotten")
async def test_what_waits_for_its_turn_is_bounded() -> None:
    scheduler = FairScheduler()
    await use_up_the_time_of(scheduler, "busy")
    tasks = [
        asyncio.create_task(scheduler.run(network, asyncio.Event().wait()))
        for network in ("other", *["busy"] * (MAX_WAITING + 1))
    ]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await tasks[-1]

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_another_event_loop_can_take_over() -> None:
    scheduler = FairScheduler()

    async def let_work_wait() -> None:
        await use_up_the_time_of(scheduler, "busy")
        await scheduler.run("other", asyncio.sleep(0))
        await asyncio.gather(*(scheduler.run("busy", asyncio.sleep(0)) for _ in range(5)))

    for _ in range(2):
        asyncio.run(let_work_wait())
