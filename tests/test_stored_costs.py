"""What a login of an unknown user costs after the costs of hashes were raised.

Which hashes are computed is recorded, because times differ from run to run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.app import create_app
from domain import accounts, authentication
from domain.errors import InvalidCredentials
from domain.passwords import stored_costs
from domain.passwords.hashing import HashingQueue
from domain.services import Services
from domain.sessions import LoginMethod
from tests.conftest import settings_for
from tests.users import THIS_DEVICE

FORMER, TODAY = "$argon2id$v=19$m=8,t=1,p=1$", "$argon2id$v=19$m=16,t=1,p=1$"

WITH_FORMER, WITH_TODAY = 20, 10


class Recording:
    """Passes on to an Argon2 hasher, and records the parameters of each hash that is verified."""

    def __init__(self, argon2id: Any) -> None:
        self._argon2id = argon2id
        self.parameters: list[str] = []

    def verify(self, password: str, stored: str) -> bool:
        self.parameters.append(stored[: stored.rindex("$", 0, stored.rindex("$")) + 1])
        valid: bool = self._argon2id.verify(password, stored)
        return valid

    def __getattr__(self, name: str) -> Any:
        return getattr(self._argon2id, name)


class RecordingQueue(HashingQueue):
    def __init__(self, secret: str = "a secret of all processes") -> None:
        super().__init__(memory_kib=16, time_cost=1, parallelism=1, threads=1, secret=secret)
        self.recorded = self._hasher._argon2 = Recording(self._hasher._argon2)

    def take(self) -> tuple[str, ...]:
        """Return the parameters of the hashes that were computed since the last call."""
        taken, self.recorded.parameters = tuple(self.recorded.parameters), []
        return taken


@pytest.fixture
def queue() -> Iterator[RecordingQueue]:
    queue = RecordingQueue()
    yield queue
    queue.close()


async def register(services: Services, prefix: str, number: int) -> list[str]:
    names = [f"{prefix}.{n}" for n in range(number)]
    for name in names:
        await accounts.register(
            services,
            THIS_DEVICE,
            username=name,
            email=f"{name}@example.com",
            password="analytical engine",
        )
    return names


async def cost_of(services: Services, queue: RecordingQueue, login: str) -> tuple[str, ...]:
    with pytest.raises(InvalidCredentials):
        await authentication.log_in(
            replace(services, hashing_queue=queue),
            THIS_DEVICE,
            login=login,
            password="wrong engine",
            method=LoginMethod.LOGIN,
        )
    return queue.take()


async def learn(services: Services, queue: HashingQueue) -> None:
    async with services.database.reading() as session:
        queue.learn(await stored_costs.sample(session))


async def test_unknown_users_cost_what_known_ones_do_as_often(
    services: Services, queue: RecordingQueue
) -> None:
    known = await register(services, "former", WITH_FORMER)
    known += await register(replace(services, hashing_queue=queue), "today", WITH_TODAY)
    await learn(services, queue)
    queue.take()

    of_known = Counter([await cost_of(services, queue, name) for name in known])
    of_unknown = Counter([await cost_of(services, queue, f"nobody.{n}") for n in range(60)])

    assert of_known == {(FORMER, TODAY): WITH_FORMER, (TODAY,): WITH_TODAY}
    assert of_unknown.keys() == of_known.keys()
    assert 30 <= of_unknown[FORMER, TODAY] <= 50


async def test_a_name_costs_the_same_each_time_and_in_each_process(
    services: Services, queue: RecordingQueue
) -> None:
    await register(services, "former", 5)
    await register(replace(services, hashing_queue=queue), "today", 5)
    another = RecordingQueue()
    for one in (queue, another):
        await learn(services, one)
    queue.take()
    names = [f"nobody.{n}" for n in range(20)] + ["nobody@example.com", "not a name", "\udfff"]

    first = [await cost_of(services, queue, name) for name in names]
    second = [await cost_of(services, queue, name) for name in names]
    elsewhere = [await cost_of(services, another, name) for name in names]
    another.close()

    assert first == second == elsewhere
    assert len(set(first)) == 2


async def test_another_sample_changes_the_costs_of_few(
    services: Services, queue: RecordingQueue
) -> None:
    names = [f"nobody.{n}" for n in range(50)]
    queue.learn([FORMER] * 50 + [TODAY] * 50)
    before = [await cost_of(services, queue, name) for name in names]
    queue.learn([FORMER] * 48 + [TODAY] * 55)
    after = [await cost_of(services, queue, name) for name in names]

    assert sum(one != other for one, other in zip(before, after, strict=True)) <= 5


async def test_nobody_can_compute_what_a_name_costs_without_the_secret(
    services: Services, queue: RecordingQueue
) -> None:
    stranger = RecordingQueue(secret="another secret")
    for one in (queue, stranger):
        one.learn([FORMER, TODAY])
    names = [f"nobody.{n}" for n in range(30)]

    costs = [await cost_of(services, queue, name) for name in names]
    guesses = [await cost_of(services, stranger, name) for name in names]
    stranger.close()

    assert costs != guesses


async def test_hashes_that_cannot_be_verified_teach_nothing(
    services: Services, queue: RecordingQueue
) -> None:
    [name] = await register(services, "former", 1)
    await learn(services, queue)

    assert await cost_of(services, queue, "nobody") == (FORMER, TODAY)
    assert await cost_of(services, queue, name) == (FORMER, TODAY)


async def test_a_sample_is_bounded(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(services, "former", 12)
    monkeypatch.setattr(stored_costs, "SAMPLE_SIZE", 4)
    async with services.database.reading() as session:
        found = await stored_costs.sample(session)

    assert found == [FORMER] * len(found)
    assert 0 < len(found) <= 8


async def test_a_process_knows_the_costs_when_it_begins_to_serve(
    services: Services, database_url: str
) -> None:
    await register(services, "former", 3)
    app = create_app(settings_for(database_url, argon2_memory_kib=16))
    async with app.router.lifespan_context(app):
        hasher = app.state.gatehouse.services.hashing_queue._hasher
        hasher._argon2 = recorded = Recording(hasher._argon2)
        with pytest.raises(InvalidCredentials):
            await authentication.log_in(
                app.state.gatehouse.services,
                THIS_DEVICE,
                login="nobody",
                password="wrong engine",
                method=LoginMethod.LOGIN,
            )

    assert recorded.parameters == [FORMER, TODAY]
