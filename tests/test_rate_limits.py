"""Rate limits of logins, registrations, refreshes and passwords within a session."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import fields

import httpx
import pytest
from fastapi import FastAPI

from domain.errors import TooManyAttempts
from domain.rate_limits import RateLimit, RateLimiter, RateLimits, memory
from settings import Settings
from tests.conftest import client_of, settings_for
from tests.operations import CHANGE_PASSWORD, DELETE_ME, LOGIN, REFRESH, REGISTER, UPDATE_ME
from tests.security_events import event_kinds
from tests.sessions import log_in
from tests.users import Answer, GraphQL, RegisteredUser, register_user

HOME, CAFE, ELSEWHERE = "198.51.100.1", "2001:db8:1:2::1", "203.0.113.7"

ClientAt = Callable[[str], GraphQL]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        login_limit_per_account="3/minute;5/hour",
        login_limit_per_network="12/hour",
        register_limit_per_network="8/hour",
        refresh_limit_per_network="4/hour",
    )


@pytest.fixture
async def at(app: FastAPI) -> AsyncIterator[ClientAt]:
    """Yield a function: ``at(HOME)`` is a client at that address."""
    async with AsyncExitStack() as stack:
        clients: dict[str, httpx.AsyncClient] = {}
        for ip in (HOME, CAFE, ELSEWHERE, "2001:db8:1:2::ffff", "2001:db8:1:3::1"):
            clients[ip] = await stack.enter_async_context(client_of(app, ip=ip))
        yield lambda ip: GraphQL(clients[ip])


@pytest.fixture
async def ada(at: ClientAt) -> RegisteredUser:
    return await register_user(at(HOME), "Ada", "ada@example.com", "analytical engine")


async def guess(graphql: GraphQL, name: str = "Ada") -> Answer:
    return await graphql(LOGIN, username=name, password="wrong engine")


async def test_a_guesser_waits_after_a_few_failures_and_is_told_how_long(
    at: ClientAt, ada: RegisteredUser
) -> None:
    codes = [(await guess(at(ELSEWHERE))).code for _ in range(3)]
    refused = await guess(at(ELSEWHERE))

    assert codes == ["INVALID_CREDENTIALS"] * 3
    assert refused.code == "TOO_MANY_ATTEMPTS"
    assert 50 < refused.error["extensions"]["retryAfter"] <= 60


async def test_the_wait_grows_with_the_failures(
    at: ClientAt, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await guess(at(ELSEWHERE))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    codes = [(await guess(at(ELSEWHERE))).code for _ in range(2)]
    refused = await guess(at(ELSEWHERE))

    assert codes == ["INVALID_CREDENTIALS"] * 2
    assert 3400 < refused.error["extensions"]["retryAfter"] <= 3600


async def test_even_the_right_password_is_not_looked_at_then(
    at: ClientAt, ada: RegisteredUser
) -> None:
    for _ in range(3):
        await guess(at(ELSEWHERE))
    answer = await at(ELSEWHERE)(LOGIN, username="Ada", password=ada.password)

    assert answer.code == "TOO_MANY_ATTEMPTS"


async def test_guesses_are_counted_together_from_everywhere_that_is_new(
    at: ClientAt, ada: RegisteredUser
) -> None:
    for ip in (ELSEWHERE, CAFE, "2001:db8:1:3::1"):
        assert (await guess(at(ip))).code == "INVALID_CREDENTIALS"

    assert (await guess(at(CAFE))).code == "TOO_MANY_ATTEMPTS"


async def test_the_owner_logs_in_where_they_have_before(at: ClientAt, ada: RegisteredUser) -> None:
    for _ in range(5):
        await guess(at(ELSEWHERE))

    assert (await at(HOME)(LOGIN, username="Ada", password=ada.password)).errors == []
    assert (await at(HOME)(LOGIN, username="ada@EXAMPLE.com", password=ada.password)).errors == []


async def test_a_success_makes_a_network_known(at: ClientAt, ada: RegisteredUser) -> None:
    assert (await at(CAFE)(LOGIN, username="Ada", password=ada.password)).errors == []
    for _ in range(5):
        await guess(at(ELSEWHERE))

    assert (await at(CAFE)(LOGIN, username="Ada", password=ada.password)).errors == []


async def test_a_success_resets_the_failures_before_it(at: ClientAt, ada: RegisteredUser) -> None:
    for _ in range(3):
        codes = [(await guess(at(HOME))).code for _ in range(2)]
        login = await at(HOME)(LOGIN, username="Ada", password=ada.password)

        assert codes == ["INVALID_CREDENTIALS"] * 2
        assert login.errors == []


async def test_where_the_owner_logs_in_a_guesser_waits_too(
    at: ClientAt, ada: RegisteredUser
) -> None:
    codes = [(await guess(at(HOME))).code for _ in range(4)]

    assert codes == ["INVALID_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"]


async def test_a_success_somewhere_new_gives_no_guesser_new_tries(
    at: ClientAt, ada: RegisteredUser
) -> None:
    for _ in range(2):
        await guess(at(ELSEWHERE))
    await at(CAFE)(LOGIN, username="Ada", password=ada.password)

    assert (await guess(at(ELSEWHERE))).code == "TOO_MANY_ATTEMPTS"


async def test_what_can_be_no_name_is_counted_by_itself(at: ClientAt) -> None:
    codes = [(await guess(at(CAFE), name)).code for name in ("a b", "a b", "a b", "c d", "a@b@c")]

    assert codes == ["INVALID_CREDENTIALS"] * 5


async def test_names_that_are_nobodys_are_counted_like_any_other(at: ClientAt) -> None:
    codes = [
        (await guess(at(CAFE), name)).code for name in ("Nob0dy", "nobody", "NOBODY", "n0body")
    ]

    assert codes == ["INVALID_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"]


async def test_the_error_does_not_tell_which_email_belongs_to_a_name(
    at: ClientAt, ada: RegisteredUser
) -> None:
    for _ in range(4):
        await guess(at(ELSEWHERE), "Ada")

    assert (await guess(at(CAFE), "ada@example.com")).code == "INVALID_CREDENTIALS"


async def test_a_network_has_a_rate_limit_whatever_the_names(at: ClientAt) -> None:
    codes = [(await guess(at(CAFE), f"user.{n}")).code for n in range(13)]

    assert codes == ["INVALID_CREDENTIALS"] * 12 + ["TOO_MANY_ATTEMPTS"]
    assert (await guess(at("2001:db8:1:2::ffff"))).code == "TOO_MANY_ATTEMPTS"
    assert (await guess(at("2001:db8:1:3::1"))).code == "INVALID_CREDENTIALS"


async def test_aliases_are_attempts(at: ClientAt, ada: RegisteredUser) -> None:
    tries = " ".join(
        f'a{n}: login(username: "Ada", password: "wrong engine") {{ expiresIn }}' for n in range(4)
    )
    codes = [(await at(ELSEWHERE)(f"mutation {{ {tries} }}")).code for _ in range(4)]

    # A mutation ends with its first error, so a document tries one wrong password at most.
    assert codes == ["INVALID_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"]
    assert (await event_kinds(at(HOME), ada)).count("WRONG_PASSWORD") == 3


async def test_token_says_429_and_when_to_come_back(
    at: ClientAt, ada: RegisteredUser, client: httpx.AsyncClient
) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": "wrong engine"}
    answers = [await client.post("/token", data=form) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert 50 < int(answers[3].headers["Retry-After"]) <= 60
    assert answers[3].json()["error"] == "temporarily_unavailable"


async def test_registrations_from_a_network_have_a_rate_limit(at: ClientAt) -> None:
    answers = [
        await at(CAFE)(
            REGISTER,
            username=f"user.{n}",
            email=f"p{n}@example.com",
            password="analytical engine" if n else "short",
        )
        for n in range(10)
    ]

    # An invalid input does not count.
    codes = [answer.code for answer in answers if answer.errors]
    assert codes == ["INVALID_INPUT", "TOO_MANY_ATTEMPTS"]


async def test_refreshes_from_a_network_have_a_rate_limit(at: ClientAt) -> None:
    codes = [(await at(CAFE)(REFRESH, token="x" * 64)).code for _ in range(5)]

    assert codes == ["UNAUTHENTICATED"] * 4 + ["TOO_MANY_ATTEMPTS"]


@pytest.mark.parametrize("token", ["", "x" * 63, "x" * 65, "?" * 64, "x" * 1000])
async def test_a_text_that_is_no_refresh_token_is_not_counted(at: ClientAt, token: str) -> None:
    codes = [(await at(CAFE)(REFRESH, token=token)).code for _ in range(6)]

    assert codes == ["UNAUTHENTICATED"] * 6


@pytest.mark.parametrize("password", ["x" * 129, "with\0nul", "with\ud800half"])
async def test_a_password_that_no_account_can_have_is_neither_counted_nor_recorded(
    at: ClientAt, ada: RegisteredUser, password: str
) -> None:
    logins = [await at(ELSEWHERE)(LOGIN, username="Ada", password=password) for _ in range(15)]
    deletions = [await at(HOME)(DELETE_ME, by=ada, password=password) for _ in range(15)]

    assert {answer.code for answer in logins + deletions} == {"INVALID_CREDENTIALS"}
    assert list(deletions[0].fields) == ["password"]
    assert await event_kinds(at(HOME), ada) == ["REGISTERED"]
    assert (await guess(at(ELSEWHERE))).code == "INVALID_CREDENTIALS"


async def test_token_does_not_count_such_a_password_either(
    ada: RegisteredUser, client: httpx.AsyncClient
) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": "x" * 129}
    answers = [await client.post("/token", data=form) for _ in range(15)]

    assert {answer.json()["error"] for answer in answers} == {"invalid_grant"}


async def test_the_thief_of_a_session_cannot_guess_on_and_keeps_no_other_session_out(
    at: ClientAt, ada: RegisteredUser
) -> None:
    stolen = await log_in(at(HOME), ada)
    codes = [
        (await at(ELSEWHERE)(CHANGE_PASSWORD, by=stolen, current="wrong engine", new="x" * 20)).code
        for _ in range(3)
    ]
    refused = await at(ELSEWHERE)(DELETE_ME, by=stolen, password="another engine")

    assert codes == ["INVALID_CREDENTIALS"] * 3
    assert refused.code == "TOO_MANY_ATTEMPTS"
    assert (await at(HOME)(DELETE_ME, by=ada, password=ada.password)).errors == []


async def test_a_right_password_within_a_session_resets_the_wrong_ones(
    at: ClientAt, ada: RegisteredUser
) -> None:
    answers = [
        await at(HOME)(UPDATE_ME, by=ada, input={"email": ada.email, "currentPassword": password})
        for password in ("wrong engine", "wrong engine", ada.password) * 2
    ]

    assert [answer.code for answer in answers if answer.errors] == ["INVALID_CREDENTIALS"] * 4


async def test_passwords_within_sessions_count_for_the_network_too(
    at: ClientAt, ada: RegisteredUser
) -> None:
    for n in range(12):
        await guess(at(CAFE), f"user.{n}")

    assert (await at(CAFE)(DELETE_ME, by=ada, password="x" * 9)).code == "TOO_MANY_ATTEMPTS"


def rate_limiter(text: str = "2/minute") -> RateLimiter:
    limit = RateLimit.of("account", text)
    return RateLimiter(RateLimits(*[limit] * len(fields(RateLimits))))


async def test_no_spelling_of_a_name_counts_as_something_else(
    at: ClientAt, ada: RegisteredUser
) -> None:
    phone = await log_in(at(HOME), ada)
    [_, session] = (await at(HOME)("{ me { sessions { id } } }", by=phone)).data["me"]["sessions"]
    for name in (f"ada\0{HOME}", f'ada", "{HOME}', "known", session["id"]):
        for _ in range(3):
            await guess(at(ELSEWHERE), name)

    assert (await at(HOME)(LOGIN, username="Ada", password=ada.password)).errors == []
    assert (await at(HOME)(DELETE_ME, by=ada, password=ada.password)).errors == []


async def test_what_is_taken_is_told_no_more_often_by_a_change_than_by_registering(
    at: ClientAt, ada: RegisteredUser
) -> None:
    taken = {"username": "ADA", "imageFile": None}
    answers = [await at(CAFE)(UPDATE_ME, by=ada, input=taken) for _ in range(9)]
    picture = await at(CAFE)(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})

    assert [answer.code for answer in answers if answer.errors] == ["TOO_MANY_ATTEMPTS"]
    assert picture.errors == []


async def test_the_wait_is_that_of_the_window_which_holds_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = RateLimit.of("account", "2/second;3/minute")
    limiter = RateLimiter(RateLimits(*[limit] * len(fields(RateLimits))))
    waits = []
    now = time.time()
    for seconds in (0, 0, 2, 2, 2, 2):
        monkeypatch.setattr(time, "time", lambda moment=now + seconds: moment)
        try:
            await limiter.hit(limit, "ada")
        except TooManyAttempts as refused:
            waits.append(refused.retry_after)

    assert waits == [58] * 3


async def test_what_costs_nothing_pushes_nothing_out() -> None:
    limiter = rate_limiter()
    refresh = RateLimit.of("refresh", "2/minute")
    for _ in range(2):
        await limiter.hit(limiter.limits.account, "ada")
    for n in range(memory.REMEMBERED_KEYS + 1):
        await limiter.hit(refresh, f"network {n}")

    with pytest.raises(TooManyAttempts):
        await limiter.hit(limiter.limits.account, "ada")


async def test_other_keys_push_no_full_count_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED_KEYS", 100)
    limiter = rate_limiter("4/minute")
    account = limiter.limits.account
    for _ in range(4):
        await limiter.hit(account, "ada")
    for n in range(1000):
        await limiter.hit(account, f"name{n}")

    with pytest.raises(TooManyAttempts):
        await limiter.hit(account, "ada")


async def test_a_count_that_was_full_is_empty_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limiter = rate_limiter()
    now = time.time()
    for seconds in (0, 0, 61, 61):
        monkeypatch.setattr(time, "time", lambda moment=now + seconds: moment)
        await limiter.hit(limiter.limits.account, "ada")

    with pytest.raises(TooManyAttempts):
        await limiter.hit(limiter.limits.account, "ada")


async def test_what_is_counted_does_not_grow_without_end() -> None:
    limiter = rate_limiter()
    account = limiter.limits.account
    for n in range(memory.REMEMBERED_KEYS + 100):
        await limiter.hit(account, f"name{n}")

    for _ in range(2):
        await limiter.hit(account, "name0")
    with pytest.raises(TooManyAttempts):
        await limiter.hit(account, "name0")


async def test_no_two_keys_are_one() -> None:
    limiter = rate_limiter()
    for whom in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", "")):
        for _ in range(2):
            await limiter.hit(limiter.limits.account, *whom)


@pytest.mark.parametrize("text", ["", "5", "five/minute", "5/fortnight", "5/minute;"])
def test_a_text_that_is_no_rate_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        RateLimit.of("account", text)
