"""Setting an authenticator app up, replacing it and removing it."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pyotp
import pytest
from sqlalchemy import select, update

from api.app import create_app
from db.models import RecoveryCode, Ticket, TotpFactor
from domain.services import Services
from settings import Settings
from tests.authenticator_apps import App, Clock, challenge, log_in_with, set_up, signed_in_with
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import (
    CONFIRM_TOTP,
    DELETE_ME,
    FACTORS,
    PASS_SECOND_FACTOR,
    REMOVE_TOTP,
    REPLACE_RECOVERY_CODES,
    START_TOTP,
)
from tests.security_events import event_kinds
from tests.sessions import age_proofs, is_signed_in, log_in
from tests.users import GraphQL, RegisteredUser, register_user

# Without commas, which separate former keys.
FIRST_KEY, SECOND_KEY = "the first data key of these tests", "the second data key of these tests"


@pytest.fixture
def settings(database_url: str) -> Settings:
    # In production, so that it sends no mail and no email has to be verified.
    return settings_for(database_url, data_key=FIRST_KEY, environment="production")


async def factors(graphql: GraphQL, user: RegisteredUser) -> tuple[bool, int]:
    found = (await graphql(FACTORS, by=user)).data["me"]["factors"]
    return found["totp"], found["recoveryCodesLeft"]


async def start(graphql: GraphQL, user: RegisteredUser) -> App:
    answer = await graphql(START_TOTP, by=user)
    assert answer.errors == []
    return App(answer.data["startTotp"]["secret"])


async def test_an_app_is_set_up_with_a_code_of_it(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    setup = (await graphql(START_TOTP, by=ada)).data["startTotp"]
    app = App(setup["secret"])
    before = await factors(graphql, ada)
    confirmed = await graphql(CONFIRM_TOTP, by=ada, code=app.code())

    parsed = pyotp.parse_uri(setup["uri"])
    assert (parsed.secret, parsed.issuer, parsed.name) == (app.secret, "Gatehouse", "Ada")
    codes = confirmed.data["confirmTotp"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", c) for c in codes)
    assert before == (False, 0)
    assert await factors(graphql, ada) == (True, 10)
    assert (await event_kinds(graphql, ada))[-1] == "TOTP_ADDED"


async def test_the_qr_code_is_an_image_without_addresses_of_others(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    image = (await graphql(START_TOTP, by=ada)).data["startTotp"]["qrCode"]

    assert ElementTree.fromstring(image).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"\w+://[^\"]+", image) == ["http://www.w3.org/2000/svg"]


async def test_setting_up_twice_returns_the_same_secret_for_ten_minutes(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    first, second = await start(graphql, ada), await start(graphql, ada)
    async with services.database.writing() as session:
        for ticket in await session.scalars(select(Ticket)):
            assert ticket.expires_at - ticket.created_at == timedelta(minutes=10)
            ticket.expires_at -= timedelta(minutes=10)
    third = await start(graphql, ada)

    assert first == second
    assert third != first


async def test_opening_the_setup_keeps_the_working_app(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    again = await start(graphql, ada)

    assert again.secret != app.secret
    assert (await log_in_with(graphql, ada, again.code())).code == "INVALID_CODE"
    assert (await log_in_with(graphql, ada, app.code())).errors == []


async def test_another_app_replaces_the_first_with_its_recovery_codes(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    first = await set_up(graphql, ada, clock)
    second = await set_up(graphql, ada, clock)

    assert not set(first.recovery_codes) & set(second.recovery_codes)
    assert await factors(graphql, ada) == (True, 10)
    for code in (first.code(), first.recovery_codes[0]):
        assert (await log_in_with(graphql, ada, code)).code == "INVALID_CODE"
    assert (await log_in_with(graphql, ada, second.code())).errors == []


async def test_a_wrong_code_changes_nothing_and_the_sixth_is_too_many(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await start(graphql, ada)
    wrong = [await graphql(CONFIRM_TOTP, by=ada, code=app.code(steps=5)) for _ in range(5)]
    right = await graphql(CONFIRM_TOTP, by=ada, code=app.code())

    assert {answer.code for answer in wrong} == {"INVALID_CODE"}
    assert list(wrong[0].fields) == ["code"]
    assert right.code == "INVALID_CODE"
    assert await factors(graphql, ada) == (False, 0)


async def test_the_code_that_confirmed_is_used_up(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await start(graphql, ada)
    await graphql(CONFIRM_TOTP, by=ada, code=app.code())

    assert (await log_in_with(graphql, ada, app.code())).code == "INVALID_CODE"


async def test_all_other_sessions_end(graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> None:
    other = await log_in(graphql, ada)
    await set_up(graphql, ada, clock)

    assert not await is_signed_in(graphql, other)
    assert await is_signed_in(graphql, ada)


@pytest.mark.parametrize("operation", [START_TOTP, REMOVE_TOTP, REPLACE_RECOVERY_CODES])
async def test_factors_change_after_a_recent_proof_only(
    graphql: GraphQL, services: Services, ada: RegisteredUser, operation: str
) -> None:
    await age_proofs(services)

    answer = await graphql(operation, by=ada)

    assert answer.error["extensions"] == {
        "code": "REAUTHENTICATION_REQUIRED",
        "methods": ["PASSWORD"],
    }


async def test_a_removed_app_is_not_asked_for(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    removed = await graphql(REMOVE_TOTP, by=ada)

    assert removed.data["removeTotp"]["factors"] == {"totp": False, "recoveryCodesLeft": 0}
    assert await is_signed_in(graphql, await log_in(graphql, ada))
    assert "TOTP_REMOVED" in await event_kinds(graphql, ada)


async def test_what_was_begun_with_a_removed_app_ends(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    ticket = (await challenge(graphql, ada))["ticket"]
    await graphql(REMOVE_TOTP, by=ada)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=app.code())

    assert answer.code == "INVALID_CODE"


@pytest.mark.parametrize("operation", [REMOVE_TOTP, REPLACE_RECOVERY_CODES])
async def test_without_an_app_there_is_nothing_to_change(
    graphql: GraphQL, ada: RegisteredUser, operation: str
) -> None:
    assert (await graphql(operation, by=ada)).code == "NOT_FOUND"


async def test_new_recovery_codes_replace_the_old_ones(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    new = (await graphql(REPLACE_RECOVERY_CODES, by=ada)).data["replaceRecoveryCodes"]

    assert len(new) == 10
    assert (await log_in_with(graphql, ada, app.recovery_codes[0])).code == "INVALID_CODE"
    assert (await log_in_with(graphql, ada, new[0])).errors == []


async def test_two_confirmations_at_once_take_one_app_into_use(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await start(graphql, ada)
    answers = await asyncio.gather(
        *(graphql(CONFIRM_TOTP, by=ada, code=app.code()) for _ in range(2))
    )

    assert sorted(answer.code if answer.errors else "OK" for answer in answers) == [
        "INVALID_CODE",
        "OK",
    ]
    assert await factors(graphql, ada) == (True, 10)


async def test_the_database_has_neither_the_seed_nor_a_recovery_code(
    graphql: GraphQL, services: Services, ada: RegisteredUser, clock: Clock
) -> None:
    app = await start(graphql, ada)
    async with services.database.reading() as session:
        pending = str([ticket.state for ticket in await session.scalars(select(Ticket))])
    codes = (await graphql(CONFIRM_TOTP, by=ada, code=app.code())).data["confirmTotp"]
    async with services.database.reading() as session:
        factor = (await session.scalars(select(TotpFactor))).one()
        hashes = list(await session.scalars(select(RecoveryCode.code_hash)))

    seed = pyotp.TOTP(app.secret).byte_secret()
    assert app.secret not in pending
    assert seed not in factor.sealed_seed
    assert not any(code in hashes or code.replace("-", "") in hashes for code in codes)


async def test_a_seed_in_the_row_of_another_user_does_not_open(
    graphql: GraphQL, services: Services, ada: RegisteredUser, grace: RegisteredUser, clock: Clock
) -> None:
    app, other = await set_up(graphql, ada, clock), await set_up(graphql, grace, clock)
    async with services.database.writing() as session:
        seed = select(TotpFactor.sealed_seed).where(TotpFactor.user_id == UUID(ada.id))
        stolen = await session.scalar(seed)
        await session.execute(
            update(TotpFactor)
            .where(TotpFactor.user_id == UUID(grace.id))
            .values(sealed_seed=stolen)
        )

    for code in (app.code(), other.code()):
        assert (await log_in_with(graphql, grace, code)).code == "INVALID_CODE"


async def test_a_former_data_key_opens_and_a_lost_one_does_not(
    graphql: GraphQL, settings: Settings, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)

    async def with_keys(key: str, fallbacks: str = "") -> str:
        """Log in on a server with these data keys, and return the code of the error or `OK`."""
        keys = {"data_key": key, "data_key_fallbacks": fallbacks}
        changed = Settings.model_validate({**settings.model_dump(), **keys})
        server = create_app(changed)
        async with server.router.lifespan_context(server), client_of(server) as client:
            answer = await log_in_with(GraphQL(client), ada, app.code())
        clock.move(steps=1)
        return answer.code if answer.errors else "OK"

    lost = await with_keys(SECOND_KEY)
    replaced = await with_keys(SECOND_KEY, fallbacks=FIRST_KEY)
    # That sign-in has encrypted the seed with the new key.
    renewed = await with_keys(SECOND_KEY)

    assert [lost, replaced, renewed] == ["INVALID_CODE", "OK", "OK"]


async def test_without_a_data_key_it_says_so(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        user = await registered(client)
        answer = await graphql(START_TOTP, by=user)

    assert answer.code == "NOT_CONFIGURED"
    assert "DATA_KEY" in answer.error["message"]


async def test_an_unverified_email_sets_up_none_where_it_can_be_verified(database_url: str) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app), client_of(app) as client:
        answer = await GraphQL(client)(START_TOTP, by=await registered(client))

    assert answer.code == "EMAIL_NOT_VERIFIED"


async def test_a_deleted_account_leaves_no_factor(
    graphql: GraphQL, services: Services, ada: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    deleted = await graphql(DELETE_ME, by=ada, password=None)
    async with services.database.reading() as session:
        apps = (await session.scalars(select(TotpFactor))).all()
        codes = (await session.scalars(select(RecoveryCode))).all()

    assert deleted.errors == []
    assert [*apps, *codes] == []


async def test_a_new_session_has_the_factor_and_changes_it_soon_after(
    graphql: GraphQL, services: Services, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    await age_proofs(services)
    signed_in = await signed_in_with(graphql, ada, app.code())

    assert (await graphql(REPLACE_RECOVERY_CODES, by=signed_in)).errors == []


async def registered(client: httpx.AsyncClient) -> RegisteredUser:
    return await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")


async def test_each_session_sets_up_an_app_of_its_own(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    """A thief of a session must not know the secret that its owner takes into use."""
    thief = await log_in(graphql, ada)
    thiefs, adas = await start(graphql, thief), await start(graphql, ada)
    by_thief = await graphql(CONFIRM_TOTP, by=ada, code=thiefs.code())
    by_ada = await graphql(CONFIRM_TOTP, by=ada, code=adas.code())

    assert thiefs.secret != adas.secret
    assert by_thief.code == "INVALID_CODE"
    assert by_ada.errors == []
