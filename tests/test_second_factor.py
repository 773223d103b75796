"""The second step of a sign-in: codes of an authenticator app, and recovery codes."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from db.models import LoginSession, Ticket
from domain.services import Services
from settings import Settings
from tests.authenticator_apps import (
    App,
    Clock,
    challenge,
    log_in_with,
    set_up,
    signed_in_with,
)
from tests.conftest import settings_for
from tests.operations import (
    DELETE_ME,
    FACTORS,
    ME,
    PASS_SECOND_FACTOR,
)
from tests.security_events import event_kinds
from tests.sessions import change_password, log_in, sessions
from tests.users import GraphQL, RegisteredUser

DATA_KEY = "a data key for tests and for nothing else but tests"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, environment="production")


@pytest.fixture
async def phone(graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> App:
    """Return the authenticator app of Ada."""
    return await set_up(graphql, ada, clock)


async def claims(client: httpx.AsyncClient, token: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token}"}
    response = await client.post("/introspect", data={"token": token}, headers=headers)
    found: dict[str, object] = response.json()
    return found


async def test_a_login_needs_a_code_of_the_app(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    asked = await challenge(graphql, ada)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=asked["ticket"], code=phone.code())

    assert asked["methods"] == ["TOTP", "RECOVERY_CODE"]
    assert asked["expiresIn"] == 600
    token = answer.data["passSecondFactor"]
    assert token["user"]["id"] == ada.id
    found = await claims(client, token["accessToken"])
    assert found["amr"] == ["pwd", "otp", "mfa"]
    assert found["acr"] == "urn:gatehouse:acr:2fa"
    session = (await sessions(graphql, ada))[0]
    assert (session["id"], session["method"]) == (found["sid"], "LOGIN")
    assert (await event_kinds(graphql, ada))[-2:] == ["SECOND_FACTOR_REQUESTED", "LOGGED_IN"]


async def test_a_wrong_password_says_nothing_of_the_factor(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    wrong = await graphql(
        'mutation { login(username: "Ada", password: "wrong engine") { expiresIn } }'
    )

    assert wrong.error["extensions"] == {"code": "INVALID_CREDENTIALS"}


async def test_a_code_is_typed_with_blanks(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    code = phone.code()

    assert (await log_in_with(graphql, ada, f" {code[:3]} {code[3:]} ")).errors == []


async def test_a_code_works_once(graphql: GraphQL, ada: RegisteredUser, phone: App) -> None:
    first = await log_in_with(graphql, ada, phone.code())
    again = await log_in_with(graphql, ada, phone.code())

    assert first.errors == []
    assert again.code == "INVALID_CODE"
    assert list(again.fields) == ["code"]


@pytest.mark.parametrize(
    ("steps", "outcome"), [(0, "OK"), (-1, "OK"), (-2, "INVALID"), (1, "INVALID")]
)
async def test_the_step_before_is_accepted_and_no_other(
    graphql: GraphQL, ada: RegisteredUser, phone: App, clock: Clock, steps: int, outcome: str
) -> None:
    clock.move(steps=10)

    answer = await log_in_with(graphql, ada, phone.code(steps=steps))

    assert outcome == ("INVALID" if answer.errors else "OK")


async def test_a_used_code_uses_up_those_before_it(
    graphql: GraphQL, ada: RegisteredUser, phone: App, clock: Clock
) -> None:
    clock.move(steps=10)
    await signed_in_with(graphql, ada, phone.code())

    assert (await log_in_with(graphql, ada, phone.code(steps=-1))).code == "INVALID_CODE"


@pytest.mark.parametrize("spoil", ["full-width", "letters", "empty", "long", "surrogates"])
async def test_what_is_no_code_is_invalid(
    graphql: GraphQL, ada: RegisteredUser, phone: App, spoil: str
) -> None:
    code = {
        "full-width": phone.code().translate({ord("0") + n: ord("０") + n for n in range(10)}),
        "letters": "abcdef",
        "empty": "",
        "long": phone.code() * 1_000,
        "surrogates": "\ud800" * 6,
    }[spoil]

    assert (await log_in_with(graphql, ada, code)).code == "INVALID_CODE"


async def test_of_twenty_clients_with_one_code_one_gets_a_session(
    graphql: GraphQL, services: Services, ada: RegisteredUser, phone: App
) -> None:
    tickets = [(await challenge(graphql, ada))["ticket"] for _ in range(20)]
    before = await number_of_sessions(services)
    answers = await asyncio.gather(
        *(graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code()) for ticket in tickets)
    )

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert await number_of_sessions(services) == before + 1


async def test_of_twenty_clients_with_one_ticket_one_gets_a_session(
    graphql: GraphQL, services: Services, ada: RegisteredUser, phone: App
) -> None:
    ticket = (await challenge(graphql, ada))["ticket"]
    before = await number_of_sessions(services)
    codes = [phone.code(), *phone.recovery_codes] * 2
    answers = await asyncio.gather(
        *(graphql(PASS_SECOND_FACTOR, ticket=ticket, code=code) for code in codes[:20])
    )

    assert sum(not answer.errors for answer in answers) == 1
    assert await number_of_sessions(services) == before + 1
    # The codes of those that came too late can still be used.
    left = (await graphql(FACTORS, by=ada)).data["me"]["factors"]["recoveryCodesLeft"]
    assert left >= 9


async def test_after_five_wrong_codes_the_ticket_is_dead(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    ticket = (await challenge(graphql, ada))["ticket"]
    for _ in range(5):
        await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code(steps=5))
    dead = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert dead.code == "INVALID_CODE"
    # The code was not used up by it.
    assert (await log_in_with(graphql, ada, phone.code())).errors == []


async def test_a_ticket_works_for_ten_minutes(
    graphql: GraphQL, services: Services, ada: RegisteredUser, phone: App
) -> None:
    ticket = (await challenge(graphql, ada))["ticket"]
    async with services.database.writing() as session:
        for row in await session.scalars(select(Ticket)):
            row.expires_at -= timedelta(minutes=10)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert answer.code == "INVALID_CODE"


async def test_a_ticket_that_was_made_up_is_invalid(graphql: GraphQL) -> None:
    for ticket in ("", "nonsense", "A" * 64, "A" * 100_000, "\ud800"):
        answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code="123456")
        assert answer.code == "INVALID_CODE"


async def test_the_code_of_another_user_does_not_complete_it(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, phone: App, clock: Clock
) -> None:
    other = await set_up(graphql, grace, clock)

    for code in (other.code(), other.recovery_codes[0]):
        assert (await log_in_with(graphql, ada, code)).code == "INVALID_CODE"


async def test_a_changed_password_ends_the_sign_in(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    ticket = (await challenge(graphql, ada))["ticket"]
    await change_password(graphql, ada, "difference engine")
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert answer.code == "INVALID_CODE"


async def test_a_deleted_account_ends_the_sign_in(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    ticket = (await challenge(graphql, ada))["ticket"]
    deleted = await graphql(DELETE_ME, by=ada)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert deleted.errors == []
    assert answer.code == "INVALID_CODE"


async def test_a_recovery_code_works_once(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    code = phone.recovery_codes[3]
    first, again = await log_in_with(graphql, ada, code), await log_in_with(graphql, ada, code)

    assert first.errors == []
    assert again.code == "INVALID_CODE"
    factors = (await graphql(FACTORS, by=ada)).data["me"]["factors"]
    assert factors == {"totp": True, "recoveryCodesLeft": 9}
    assert "RECOVERY_CODE_USED" in await event_kinds(graphql, ada)


async def test_a_recovery_code_is_typed_as_people_do(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    plain = phone.recovery_codes[0].replace("-", "")
    look_alikes = phone.recovery_codes[1].replace("0", "o").replace("1", "l").lower()

    for typed in (plain, f"  {look_alikes} ", phone.recovery_codes[2].replace("-", " ")):
        assert (await log_in_with(graphql, ada, typed)).errors == []


async def test_after_the_last_recovery_code_only_the_app_is_offered(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    for code in phone.recovery_codes:
        await signed_in_with(graphql, ada, code)

    assert (await challenge(graphql, ada))["methods"] == ["TOTP"]


async def test_of_two_who_use_one_recovery_code_one_gets_a_session(
    graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    tickets = [(await challenge(graphql, ada))["ticket"] for _ in range(2)]
    answers = await asyncio.gather(
        *(
            graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.recovery_codes[0])
            for ticket in tickets
        )
    )

    assert sorted(bool(answer.errors) for answer in answers) == [False, True]


async def test_users_without_a_factor_sign_in_as_before(
    graphql: GraphQL, grace: RegisteredUser, phone: App
) -> None:
    assert (await graphql(ME, by=await log_in(graphql, grace))).data["me"]["id"] == grace.id


async def number_of_sessions(services: Services) -> int:
    async with services.database.reading() as session:
        return len((await session.scalars(select(LoginSession.id))).all())
