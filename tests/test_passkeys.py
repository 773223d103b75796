"""Add, rename and remove passkeys."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from db.models import Passkey, Ticket
from domain import authentication
from domain.authentication.passkeys.challenges import LIFETIME
from domain.services import Services
from settings import Settings
from tests.authenticator import BE, BS, PRESENT_AND_VERIFIED, UP, UV, Authenticator, decode
from tests.clocks import moved_clock
from tests.conftest import settings_for
from tests.operations import DELETE_ME, REMOVE_PASSKEY, RENAME_PASSKEY, START_PASSKEY
from tests.passkeys import PASSKEY_SETTINGS, add, finish, sign_in, start, start_sign_in
from tests.security_events import event_kinds
from tests.sessions import FIREFOX, age_proofs, change_password, log_in
from tests.users import UNKNOWN_ID, GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, **PASSKEY_SETTINGS, brand_name="Example")


async def names(services: Services, user: RegisteredUser) -> list[str]:
    """Return the names of a user's passkeys, as a list of them would show them."""
    user_id = UUID(user.id)
    async with services.database.reading() as session:
        found = await authentication.passkeys_of(session, [user_id])
    return [passkey.name for passkey in found[user_id]]


async def test_the_browser_is_asked_for_a_passkey_that_signs_in_alone(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    _, options = await start(graphql, ada)

    assert options["rp"] == {"id": "example.com", "name": "Example"}
    assert options["user"]["name"] == options["user"]["displayName"] == "Ada"
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["attestation"] == "none"
    assert options["timeout"] == 300_000
    assert len(decode(options["challenge"])) == len(decode(options["user"]["id"])) == 32


async def test_a_passkey_is_added_with_what_a_browser_says_of_it(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    _, synced = await add(graphql, ada, name="Phone")
    _, bound = await add(graphql, ada, Authenticator(flags=PRESENT_AND_VERIFIED), name="Key")

    assert synced["name"] == "Phone"
    assert (synced["isSynced"], bound["isSynced"]) == (True, False)
    assert synced["lastUsedAt"] is None
    assert await names(services, ada) == ["Phone", "Key"]
    assert await event_kinds(graphql, ada) == ["REGISTERED", "PASSKEY_ADDED", "PASSKEY_ADDED"]


async def test_all_passkeys_of_a_user_know_them_by_one_handle_and_are_excluded_from_the_next(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    first, _ = await add(graphql, ada)
    second, _ = await add(graphql, ada)
    other, _ = await add(graphql, grace)
    _, options = await start(graphql, ada)

    assert first.handle == second.handle == decode(options["user"]["id"])
    assert other.handle != first.handle
    excluded = options["excludeCredentials"]
    assert {decode(one["id"]) for one in excluded} == {first.credential_id, second.credential_id}
    assert excluded[0]["transports"] == ["internal", "hybrid"]


async def test_without_a_name_it_has_that_of_the_device(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    client.headers["User-Agent"] = FIREFOX
    _, named = await add(graphql, ada)
    client.headers["User-Agent"] = ""
    _, unnamed = await add(graphql, ada, name=None)

    assert named["name"] == "Firefox on Linux"
    assert unnamed["name"] == "Passkey"


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 101, "\ud800", "\x00", "\u2028"])
async def test_a_name_is_one_line_to_be_seen(
    graphql: GraphQL, ada: RegisteredUser, name: str
) -> None:
    ticket, options = await start(graphql, ada)
    credential = Authenticator().create(options)
    refused = await finish(graphql, ada, ticket, credential, name=name)
    _, kept = await add(graphql, ada, name="x" * 100)
    renamed = await graphql(RENAME_PASSKEY, by=ada, id=kept["id"], name=name)

    assert refused.fields.keys() == renamed.fields.keys() == {"name"}
    # The ticket was not used.
    assert (await finish(graphql, ada, ticket, credential)).errors == []


WRONG = [
    {"origin": "https://evil.example"},
    {"origin": "https://app.example.com:8443"},
    {"origin": "http://app.example.com"},
    {"rp_id": "app.example.com"},
    {"flags": UP | BE | BS},
    {"flags": UV | BE | BS},
    {"flags": PRESENT_AND_VERIFIED | BS},
    {"client_data": {"crossOrigin": True}},
    {"client_data": {"topOrigin": "https://evil.example"}},
    {"client_data": {"type": "webauthn.get"}},
    {"client_data": {"challenge": "AAAA"}},
    {"credential_id": b""},
    {"credential_id": b"x" * 1024},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_what_another_page_or_another_device_has_made_is_refused(
    graphql: GraphQL, ada: RegisteredUser, services: Services, wrong: dict[str, object]
) -> None:
    ticket, options = await start(graphql, ada)
    answer = await finish(graphql, ada, ticket, Authenticator(**wrong).create(options))  # type: ignore[arg-type]

    assert answer.code == "INVALID_CODE"
    assert answer.fields.keys() == {"credential"}
    assert await names(services, ada) == []


async def test_the_largest_credential_id_is_accepted(graphql: GraphQL, ada: RegisteredUser) -> None:
    authenticator, _ = await add(graphql, ada, Authenticator(credential_id=b"x" * 1023))

    assert (await sign_in(graphql, authenticator)).errors == []


async def test_a_credential_says_its_id_once(graphql: GraphQL, ada: RegisteredUser) -> None:
    ticket, options = await start(graphql, ada)
    credential = Authenticator().create(options)
    for member in ("id", "rawId"):
        other = {**credential, member: "AAAA"}
        assert (await finish(graphql, ada, ticket, other)).code == "INVALID_CODE"
    both = {**credential, "id": "AAAA", "rawId": "AAAA"}
    assert (await finish(graphql, ada, ticket, both)).code == "INVALID_CODE"


async def test_a_challenge_works_once(graphql: GraphQL, ada: RegisteredUser) -> None:
    ticket, options = await start(graphql, ada)
    answers = [
        await finish(graphql, ada, ticket, Authenticator().create(options)) for _ in range(2)
    ]

    assert answers[0].errors == []
    assert answers[1].code == "INVALID_CODE"


async def test_a_challenge_lasts_for_five_minutes(graphql: GraphQL, ada: RegisteredUser) -> None:
    ticket, options = await start(graphql, ada)
    credential = Authenticator().create(options)
    with moved_clock(LIFETIME):
        late = await finish(graphql, ada, ticket, credential)
    with moved_clock(LIFETIME - timedelta(seconds=10)):
        in_time = await finish(graphql, ada, ticket, credential)

    assert timedelta(minutes=5) == LIFETIME
    assert late.code == "INVALID_CODE"
    assert in_time.errors == []


async def test_a_challenge_is_for_the_session_that_began_it(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    ticket, options = await start(graphql, ada)
    credential = Authenticator().create(options)
    answers = [await finish(graphql, by, ticket, credential) for by in (phone, grace)]

    assert [answer.code for answer in answers] == ["INVALID_CODE"] * 2
    assert (await finish(graphql, ada, ticket, credential)).errors == []


async def test_a_challenge_of_a_sign_in_adds_nothing(graphql: GraphQL, ada: RegisteredUser) -> None:
    ticket, options = await start_sign_in(graphql)
    created = Authenticator().create({**options, "user": {"id": "AAAA"}})

    assert (await finish(graphql, ada, ticket, created)).code == "INVALID_CODE"


@pytest.mark.parametrize(("times", "codes"), [(4, []), (5, ["INVALID_CODE"])])
async def test_after_five_wrong_answers_the_challenge_is_dead(
    graphql: GraphQL, ada: RegisteredUser, times: int, codes: list[str]
) -> None:
    ticket, options = await start(graphql, ada)
    for _ in range(times):
        assert (await finish(graphql, ada, ticket, {})).code == "INVALID_CODE"
    answer = await finish(graphql, ada, ticket, Authenticator().create(options))

    assert [error["extensions"]["code"] for error in answer.errors] == codes


async def test_a_passkey_belongs_to_one_account_and_is_added_once(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    authenticator, _ = await add(graphql, ada, name="First")
    handle = authenticator.handle
    answers = []
    for user in (ada, grace):
        ticket, options = await start(graphql, user)
        answers.append(await finish(graphql, user, ticket, authenticator.create(options)))

    assert [answer.code for answer in answers] == ["INVALID_CODE"] * 2
    assert await names(services, ada) == ["First"]
    assert await names(services, grace) == []
    authenticator.handle = handle
    signed_in = await sign_in(graphql, authenticator)
    assert signed_in.data["signInByPasskey"]["user"]["id"] == ada.id


async def test_an_account_has_at_most_twenty(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    for _ in range(19):
        await add(graphql, ada)
    one, other = await start(graphql, ada), await start(graphql, ada)
    twentieth = await finish(graphql, ada, one[0], Authenticator().create(one[1]))
    begun_before = await finish(graphql, ada, other[0], Authenticator().create(other[1]))
    begun_after = await graphql(START_PASSKEY, by=ada)

    assert twentieth.errors == []
    assert begun_before.code == begun_after.code == "QUOTA_EXCEEDED"
    assert len(await names(services, ada)) == 20


async def test_a_proof_of_long_ago_adds_and_removes_none(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    _, passkey = await add(graphql, ada)
    await age_proofs(services)
    refused = [
        await graphql(START_PASSKEY, by=ada),
        await graphql(REMOVE_PASSKEY, by=ada, id=passkey["id"]),
    ]
    renamed = await graphql(RENAME_PASSKEY, by=ada, id=passkey["id"], name="Renamed")

    for answer in refused:
        assert answer.code == "REAUTHENTICATION_REQUIRED"
        assert answer.error["extensions"]["methods"] == ["PASSWORD", "PASSKEY"]
    assert renamed.data["renamePasskey"]["name"] == "Renamed"


async def test_one_that_was_begun_before_a_new_password_is_not_added(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    ticket, options = await start(graphql, ada)
    changed = await change_password(graphql, ada, "difference engine")
    credential = Authenticator().create(options)
    answers = [await finish(graphql, by, ticket, credential) for by in (ada, changed)]

    assert [answer.code for answer in answers] == ["UNAUTHENTICATED", "INVALID_CODE"]
    assert await names(services, ada) == []


async def test_a_removed_passkey_no_longer_signs_in(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    authenticator, passkey = await add(graphql, ada)
    removed = await graphql(REMOVE_PASSKEY, by=ada, id=passkey["id"])
    again = await graphql(REMOVE_PASSKEY, by=ada, id=passkey["id"])

    assert removed.data == {"removePasskey": passkey["id"]}
    assert again.code == "NOT_FOUND"
    answer = await sign_in(graphql, authenticator)
    assert answer.code == "INVALID_CODE"
    assert answer.error["extensions"]["unknownCredential"] is True
    assert "PASSKEY_REMOVED" in await event_kinds(graphql, ada)
    assert await names(services, ada) == []


@pytest.mark.parametrize("id", [UNKNOWN_ID, "no id", ""])
async def test_passkeys_of_others_and_ids_of_none_are_not_found(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services, id: str
) -> None:
    _, hers = await add(graphql, grace, name="Hers")
    answers = [
        await graphql(document, by=ada, id=each, **name)
        for each in (hers["id"], id)
        for document, name in ((RENAME_PASSKEY, {"name": "Mine"}), (REMOVE_PASSKEY, {}))
    ]

    assert {answer.code for answer in answers} == {"NOT_FOUND"}
    assert await names(services, grace) == ["Hers"]


async def test_passkeys_go_with_their_user(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    authenticator, _ = await add(graphql, ada)
    await start(graphql, ada)
    assert (await graphql(DELETE_ME, by=ada, password=ada.password)).errors == []

    assert (await sign_in(graphql, authenticator)).error["extensions"]["unknownCredential"] is True
    async with services.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Passkey)) == 0
        kinds = (await session.scalars(select(Ticket.kind))).all()
    assert set(kinds) == {"PASSKEY_SIGN_IN"}
