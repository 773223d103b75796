import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from passlib.hash import argon2

from domain import accounts, authentication
from domain import passwords as password_rules
from domain.errors import InvalidCredentials, Overloaded
from domain.passwords import hashing
from domain.passwords.hashing import SLOTS_PER_THREAD, WAITING_PER_THREAD, HashingQueue
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from tests.hashing import hash_password, verify_password
from tests.servers import TIMEOUT_SECONDS
from tests.users import THIS_DEVICE


@pytest.fixture
def cheap() -> Iterator[HashingQueue]:
    hasher = HashingQueue(memory_kib=8, time_cost=1, parallelism=1, threads=1)
    yield hasher
    hasher.close()


@pytest.fixture
def costly() -> Iterator[HashingQueue]:
    """Hash in about 20 ms, so that one hash fewer can be measured."""
    hasher = HashingQueue(memory_kib=19456, time_cost=2, parallelism=1, threads=1)
    yield hasher
    hasher.close()


async def log_in(services: Services, login: str, password: str) -> SignedIn:
    return await authentication.log_in(
        services, THIS_DEVICE, login=login, password=password, method=LoginMethod.LOGIN
    )


async def register_ada(services: Services) -> SignedIn:
    return await accounts.register(
        services, THIS_DEVICE, username="Ada", email="ada@example.com", password="analytical engine"
    )


async def seconds_to_reject(services: Services, login: str) -> float:
    start = time.process_time()
    with pytest.raises(InvalidCredentials):
        await log_in(services, login, "wrong engine")
    return time.process_time() - start


@pytest.mark.parametrize("password", ["tr0ub4dor&3x", "пароль надолго", "    x    ", "🔑" * 8])
def test_any_uncommon_text_of_eight_characters_is_a_password(password: str) -> None:
    assert password_rules.problems(password) == []


@pytest.mark.parametrize("password", ["seven77", "x" * 129, "with\0nul", "with\ud800half"])
def test_a_password_that_cannot_be_used_is_refused(password: str) -> None:
    assert password_rules.problems(password)


@pytest.mark.parametrize("password", ["password", "Password1", "qwertyuiop", "12345678"])
def test_common_passwords_are_refused(password: str) -> None:
    [sentence] = password_rules.problems(password)

    assert "too common" in sentence


def test_the_common_passwords_load_nothing_else_of_their_package() -> None:
    program = (
        "import sys; from domain.passwords import problems;"
        " sys.exit(not problems('qwertyuiop') or 'zxcvbn' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("password", ["Lovelace", "lovelace", "Ada@Example.com"])
def test_a_password_is_not_the_name_or_the_email(password: str) -> None:
    assert password_rules.problems(password, username="Lovelace", email="ada@example.com")


async def test_a_hash_is_argon2id_with_the_chosen_costs(cheap: HashingQueue) -> None:
    stored = await hash_password(cheap, "analytical engine")

    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert "analytical" not in stored


async def test_a_hash_of_another_build_is_still_right(costly: HashingQueue) -> None:
    """`make argon2-native` runs this test on its build. The hash is of the published build."""
    published = (
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRmb3J5b3Vycw"
        "$FIXA4lMQZ2R3onRREjWjxG2mHJzpGokR5z7RsQJ/xkg"
    )

    assert (await verify_password(costly, "analytical engine", published)).is_valid
    assert not (await verify_password(costly, "difference engine", published)).is_valid


async def test_a_damaged_hash_is_a_wrong_password(cheap: HashingQueue) -> None:
    assert not (await verify_password(cheap, "analytical engine", "$argon2id$damaged")).is_valid
    assert not (await verify_password(cheap, "analytical engine", "")).is_valid


async def test_a_hash_of_older_parameters_is_renewed_at_login(services: Services) -> None:
    new = HashingQueue(memory_kib=16, time_cost=1, parallelism=1, threads=1)
    await register_ada(services)

    await log_in(replace(services, hashing_queue=new), "Ada", "analytical engine")
    signed_in = await log_in(replace(services, hashing_queue=new), "Ada", "analytical engine")

    assert argon2.from_string(signed_in.user.password_hash).memory_cost == 16


async def test_of_ten_logins_that_renew_one_hash_at_once_all_succeed(services: Services) -> None:
    new = HashingQueue(memory_kib=16, time_cost=1, parallelism=1, threads=2)
    ada = await register_ada(services)

    signed_in_users = await asyncio.gather(
        *(
            log_in(replace(services, hashing_queue=new), "Ada", "analytical engine")
            for _ in range(10)
        )
    )

    assert {one.user.id for one in signed_in_users} == {ada.user.id}


async def test_past_the_queue_callers_are_told_at_once(cheap: HashingQueue) -> None:
    capacity = SLOTS_PER_THREAD + WAITING_PER_THREAD
    outcomes = await asyncio.gather(
        *(hash_password(cheap, "analytical engine") for _ in range(capacity + 10)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 10
    assert await hash_password(cheap, "analytical engine")


async def test_nobody_waits_in_the_queue_for_ever(
    cheap: HashingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "MAX_WAIT", timedelta(milliseconds=1))
    async with AsyncExitStack() as slots:
        for _ in range(SLOTS_PER_THREAD):
            await slots.enter_async_context(cheap.slot())
        with pytest.raises(Overloaded):
            await hash_password(cheap, "analytical engine")

    assert await hash_password(cheap, "analytical engine")


async def test_callers_who_leave_give_back_exactly_the_places_they_held(
    cheap: HashingQueue,
) -> None:
    capacity = SLOTS_PER_THREAD + WAITING_PER_THREAD
    for _ in range(3):
        leaving = [
            asyncio.ensure_future(hash_password(cheap, "analytical engine"))
            for _ in range(capacity)
        ]
        await asyncio.sleep(0)
        for caller in leaving:
            caller.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.to_thread(lambda: None)
    await hash_password(cheap, "analytical engine")

    outcomes = await asyncio.gather(
        *(hash_password(cheap, "analytical engine") for _ in range(capacity + 5)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 5


async def test_a_closed_pool_hashes_again(cheap: HashingQueue) -> None:
    cheap.close()

    assert await hash_password(cheap, "analytical engine")


async def test_the_event_loop_never_waits_for_a_hash(costly: HashingQueue) -> None:
    hashes = asyncio.gather(*(hash_password(costly, "analytical engine") for _ in range(10)))
    iterations = 0
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not hashes.done():
            await asyncio.sleep(0)
            iterations += 1

    # A loop that is blocked by hashing would iterate about once a hash.
    assert iterations > 100


@pytest.mark.parametrize("hashed_when_it_was", ["as costly as today", "cheaper"])
async def test_an_unknown_user_costs_as_much_time_as_a_wrong_password(
    services: Services, cheap: HashingQueue, costly: HashingQueue, hashed_when_it_was: str
) -> None:
    then = cheap if hashed_when_it_was == "cheaper" else costly
    await register_ada(replace(services, hashing_queue=then))
    today = replace(services, hashing_queue=costly)

    # Interleaved, so that other load on the machine affects both in the same way.
    rounds = [
        (
            await seconds_to_reject(today, "Ada"),
            await seconds_to_reject(today, "Nobody"),
        )
        for _ in range(9)
    ]
    known = statistics.median(seconds for seconds, _ in rounds)
    unknown = statistics.median(seconds for _, seconds in rounds)

    assert 0.6 < unknown / known < 1.6


async def test_the_very_first_login_of_a_process_tells_nothing_either() -> None:
    stored = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRvZmdvdXJz$" + "A" * 43
    unknown, known = [], []
    for _ in range(5):
        hasher = HashingQueue(memory_kib=19456, time_cost=2, parallelism=1, threads=1)
        start = time.process_time()
        await verify_password(hasher, "wrong engine", None)
        middle = time.process_time()
        await verify_password(hasher, "wrong engine", stored)
        end = time.process_time()
        hasher.close()
        unknown.append(middle - start)
        known.append(end - middle)

    # A dummy hash that is made on first use would double the cost of the first login.
    assert min(unknown) / min(known) < 1.8
