"""Sign in with a passkey: what WebAuthn Level 3, section 7.2, wants verified."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from api.app import create_app
from db.models import Passkey
from domain.authentication.passkeys.challenges import LIFETIME
from domain.services import Services
from settings import Settings
from tests.authenticator import BE, BS, PRESENT_AND_VERIFIED, UP, UV, Authenticator, decode
from tests.browsers import COOKIE, BrowserPage
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.operations import SIGN_IN_BY_PASSKEY, START_PASSKEY_SIGN_IN
from tests.passkeys import (
    PASSKEY_SETTINGS,
    add,
    answered,
    sign_in,
    signed_in,
    start,
    start_sign_in,
)
from tests.security_events import event_kinds
from tests.sessions import change_password, sessions
from tests.users import Answer, GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, **PASSKEY_SETTINGS)


@pytest.fixture
async def phone(graphql: GraphQL, ada: RegisteredUser) -> Authenticator:
    """Add a passkey to Ada's account, which is synced."""
    authenticator, _ = await add(graphql, ada)
    return authenticator


@pytest.fixture
async def key(graphql: GraphQL, ada: RegisteredUser) -> Authenticator:
    """Add a passkey to Ada's account, on a security key, which counts."""
    authenticator = Authenticator(flags=PRESENT_AND_VERIFIED, counter=5)
    return (await add(graphql, ada, authenticator))[0]


async def stored(services: Services) -> Passkey:
    async with services.database.reading() as session:
        return (await session.scalars(select(Passkey))).one()


def is_refused(answer: Answer, *, unknown: bool = False) -> bool:
    extensions = answer.error["extensions"]
    assert extensions["fields"].keys() == {"credential"}
    assert extensions.get("unknownCredential", False) is unknown
    return answer.code == "INVALID_CODE"


async def test_any_passkey_is_asked_for_and_must_verify_its_user(graphql: GraphQL) -> None:
    _, options = await start_sign_in(graphql)

    assert options["rpId"] == "example.com"
    assert options["userVerification"] == "required"
    assert options["allowCredentials"] == []
    assert options["timeout"] == 300_000
    assert len(decode(options["challenge"])) == 32


async def test_a_passkey_signs_in_without_a_name_and_a_password(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator, services: Services
) -> None:
    token = (await sign_in(graphql, phone)).data["signInByPasskey"]

    assert token["user"] == {"id": ada.id, "username": "Ada", "email": ada.email}
    methods = [one["method"] for one in await sessions(graphql, ada)]
    assert methods == ["PASSKEY", "REGISTRATION"]
    assert await event_kinds(graphql, ada) == ["REGISTERED", "PASSKEY_ADDED", "LOGGED_IN"]
    assert (await stored(services)).last_used_at is not None


async def test_the_pages_of_all_listed_origins_sign_in(
    graphql: GraphQL, phone: Authenticator
) -> None:
    phone.origin = "https://example.com"

    assert (await sign_in(graphql, phone)).errors == []


@pytest.mark.parametrize(
    ("flags", "amr"),
    [
        (PRESENT_AND_VERIFIED, ["hwk", "user", "mfa"]),
        (PRESENT_AND_VERIFIED | BE, ["swk", "user", "mfa"]),
        (PRESENT_AND_VERIFIED | BE | BS, ["swk", "user", "mfa"]),
    ],
)
async def test_tokens_say_how_the_passkey_has_proven_its_user(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, flags: int, amr: list[str]
) -> None:
    authenticator, _ = await add(graphql, ada, Authenticator(flags=flags))
    user = await signed_in(graphql, ada, authenticator)
    told = await client.post(
        "/introspect",
        data={"token": user.token},
        headers={"Authorization": f"Bearer {user.token}"},
    )

    assert told.json()["amr"] == amr


async def test_with_the_header_the_refresh_token_is_in_the_cookie_alone(
    client: httpx.AsyncClient, graphql: GraphQL, phone: Authenticator
) -> None:
    page = BrowserPage(client, {"Gatehouse-Session": "cookie", "Origin": str(client.base_url)})
    token = await page.data(SIGN_IN_BY_PASSKEY, answer=await answered(graphql, phone))

    assert token["refreshToken"] == "cookie"
    assert page.cookies.keys() & {COOKIE, "gatehouse"}


WRONG = [
    {"origin": "https://evil.example"},
    {"origin": "https://app.example.com:8443"},
    {"origin": "https://www.example.com"},
    {"rp_id": "app.example.com"},
    {"flags": UP | BE | BS},
    {"flags": UV | BE | BS},
    # What cannot be backed up cannot be backed up, nor become so.
    {"flags": PRESENT_AND_VERIFIED | BS},
    {"flags": PRESENT_AND_VERIFIED},
    {"client_data": {"crossOrigin": True}},
    {"client_data": {"topOrigin": "https://evil.example"}},
    {"client_data": {"topOrigin": "https://app.example.com"}},
    {"client_data": {"type": "webauthn.create"}},
    {"client_data": {"challenge": "AAAA"}},
    {"handle": None},
    {"handle": b""},
    {"handle": b"x" * 32},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_what_is_not_as_it_must_be_is_refused(
    graphql: GraphQL,
    ada: RegisteredUser,
    phone: Authenticator,
    services: Services,
    wrong: dict[str, object],
) -> None:
    for name, value in wrong.items():
        setattr(phone, name, value)
    answer = await sign_in(graphql, phone)

    assert is_refused(answer)
    assert len(await sessions(graphql, ada)) == 1
    assert (await event_kinds(graphql, ada))[-1] == "WRONG_CODE"
    assert (await stored(services)).last_used_at is None


async def test_a_passkey_that_may_not_be_synced_stays_so(
    graphql: GraphQL, key: Authenticator
) -> None:
    key.flags |= BE

    assert is_refused(await sign_in(graphql, key))


async def test_a_passkey_may_be_synced_and_no_longer(
    graphql: GraphQL, phone: Authenticator, services: Services
) -> None:
    for backup in (0, BS):
        phone.flags = PRESENT_AND_VERIFIED | BE | backup
        assert (await sign_in(graphql, phone)).errors == []
        assert (await stored(services)).backed_up is bool(backup)


async def test_the_handle_is_that_of_the_owner(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, phone: Authenticator
) -> None:
    hers, _ = await add(graphql, grace)
    phone.handle, hers.handle = hers.handle, phone.handle

    assert is_refused(await sign_in(graphql, phone))
    assert is_refused(await sign_in(graphql, hers))


async def test_the_key_of_another_passkey_signs_nothing(
    graphql: GraphQL, phone: Authenticator, key: Authenticator
) -> None:
    answer = await answered(graphql, key)
    id = (await answered(graphql, phone))["credential"]["id"]
    answer["credential"] |= {"id": id, "rawId": id}

    assert is_refused(await graphql(SIGN_IN_BY_PASSKEY, answer=answer))


async def test_a_passkey_that_no_account_has_is_told_so(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    stranger = Authenticator(handle=phone.handle)

    assert is_refused(await sign_in(graphql, stranger), unknown=True)
    assert "WRONG_CODE" not in await event_kinds(graphql, ada)


async def test_an_answer_works_once(graphql: GraphQL, phone: Authenticator) -> None:
    answer = await answered(graphql, phone)
    answers = [await graphql(SIGN_IN_BY_PASSKEY, answer=answer) for _ in range(2)]

    assert answers[0].errors == []
    assert is_refused(answers[1])


async def test_a_challenge_belongs_to_its_ticket(graphql: GraphQL, phone: Authenticator) -> None:
    one, other = [await answered(graphql, phone) for _ in range(2)]
    one["ticket"], other["ticket"] = other["ticket"], one["ticket"]

    assert is_refused(await graphql(SIGN_IN_BY_PASSKEY, answer=one))
    assert is_refused(await graphql(SIGN_IN_BY_PASSKEY, answer=other))


async def test_a_challenge_lasts_for_five_minutes(graphql: GraphQL, phone: Authenticator) -> None:
    answer = await answered(graphql, phone)
    with moved_clock(LIFETIME):
        late = await graphql(SIGN_IN_BY_PASSKEY, answer=answer)
    with moved_clock(LIFETIME - timedelta(seconds=10)):
        in_time = await graphql(SIGN_IN_BY_PASSKEY, answer=answer)

    assert is_refused(late)
    assert in_time.errors == []


async def test_after_five_wrong_answers_the_challenge_is_dead(
    graphql: GraphQL, phone: Authenticator
) -> None:
    answer = await answered(graphql, phone)
    assert is_refused(await try_wrongly(graphql, answer["ticket"], times=5))

    assert is_refused(await graphql(SIGN_IN_BY_PASSKEY, answer=answer))


async def test_after_four_wrong_answers_the_right_one_signs_in(
    graphql: GraphQL, phone: Authenticator
) -> None:
    answer = await answered(graphql, phone)
    assert is_refused(await try_wrongly(graphql, answer["ticket"], times=4))

    assert (await graphql(SIGN_IN_BY_PASSKEY, answer=answer)).errors == []


async def try_wrongly(graphql: GraphQL, ticket: str, *, times: int) -> Answer:
    wrong = {"ticket": ticket, "credential": {}}
    return [await graphql(SIGN_IN_BY_PASSKEY, answer=wrong) for _ in range(times)][-1]


async def test_the_challenge_of_a_new_passkey_signs_in_to_nothing(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    ticket, options = await start(graphql, ada)
    answer = {"ticket": ticket, "credential": phone.get(options)}

    assert is_refused(await graphql(SIGN_IN_BY_PASSKEY, answer=answer))


async def test_a_new_password_leaves_passkeys_and_their_challenges_alone(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    answer = await answered(graphql, phone)
    await change_password(graphql, ada, "difference engine")

    assert (await graphql(SIGN_IN_BY_PASSKEY, answer=answer)).errors == []


async def test_a_counter_that_grows_is_as_it_should_be(
    graphql: GraphQL, ada: RegisteredUser, key: Authenticator, services: Services
) -> None:
    for counter in (6, 9, 2**32 - 1):
        key.counter = counter
        assert (await sign_in(graphql, key)).errors == []
        assert (await stored(services)).sign_count == counter

    assert "PASSKEY_COUNTER" not in await event_kinds(graphql, ada)


@pytest.mark.parametrize("counter", [5, 4, 0])
async def test_a_counter_that_does_not_grow_is_recorded_and_not_refused(
    graphql: GraphQL,
    ada: RegisteredUser,
    key: Authenticator,
    services: Services,
    counter: int,
) -> None:
    key.counter = counter
    answer = await sign_in(graphql, key)

    assert answer.errors == []
    assert (await event_kinds(graphql, ada))[-2:] == ["PASSKEY_COUNTER", "LOGGED_IN"]
    assert (await stored(services)).sign_count == counter


async def test_a_passkey_that_never_counts_is_as_it_should_be(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    for _ in range(2):
        assert (await sign_in(graphql, phone)).errors == []

    assert "PASSKEY_COUNTER" not in await event_kinds(graphql, ada)


async def test_a_made_up_ticket_or_credential_does_not_wait_for_the_writer(
    graphql: GraphQL, phone: Authenticator, services: Services
) -> None:
    answer = await answered(graphql, phone)
    async with services.database.writing():
        for ticket in ("", "x" * 64, "x" * 1000, "\ud800"):
            assert is_refused(
                await graphql(SIGN_IN_BY_PASSKEY, answer={**answer, "ticket": ticket})
            )


async def test_challenges_are_limited_for_each_network(database_url: str) -> None:
    settings = settings_for(database_url, **PASSKEY_SETTINGS, ticket_limit_per_network="3/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        codes = {}
        for ip in ("198.51.100.1", "203.0.113.7"):
            async with client_of(app, ip=ip) as client:
                answers = [await GraphQL(client)(START_PASSKEY_SIGN_IN) for _ in range(4)]
            codes[ip] = [answer.code if answer.errors else "OK" for answer in answers]

    assert list(codes.values()) == [["OK"] * 3 + ["TOO_MANY_ATTEMPTS"]] * 2


async def test_answers_are_limited_for_each_network(database_url: str) -> None:
    settings = settings_for(database_url, **PASSKEY_SETTINGS, login_limit_per_network="3/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        answer = {"ticket": "x" * 64, "credential": {}}
        answers = [await GraphQL(client)(SIGN_IN_BY_PASSKEY, answer=answer) for _ in range(4)]

    assert [one.code for one in answers] == ["INVALID_CODE"] * 3 + ["TOO_MANY_ATTEMPTS"]


async def test_a_server_without_a_domain_has_none(database_url: str) -> None:
    settings = settings_for(database_url, public_url="https://192.0.2.1")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        answer = {"ticket": "x" * 64, "credential": {}}
        answers = [
            await graphql(START_PASSKEY_SIGN_IN),
            await graphql(SIGN_IN_BY_PASSKEY, answer=answer),
        ]

    assert [one.code for one in answers] == ["NOT_CONFIGURED"] * 2
