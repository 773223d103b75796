"""Which account a sign-in with a provider leads to: every row of the table in
docs/explanation/security-model.md."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from db.database import Database
from db.engine import create_engine
from db.models import Identity, Ticket, User
from domain import retention
from domain.ids import new_id
from domain.services import Services
from settings import Settings
from tests.authenticator_apps import Clock, set_up
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, texts_to
from tests.operations import (
    DELETE_ME,
    FACTORS,
    IDENTITIES,
    LOGIN,
    ME,
    PASS_SECOND_FACTOR,
    SECURE_ACCOUNT,
    VERIFY_EMAIL,
)
from tests.passkeys import PASSKEY_SETTINGS
from tests.passkeys import add as add_passkey
from tests.passkeys import sign_in as sign_in_with_passkey
from tests.provider_sign_ins import Browser, finish, settings_of, sign_in
from tests.security_events import event_kinds
from tests.sessions import is_signed_in
from tests.statements import begun
from tests.users import Answer, GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    providers = settings_of(identity_provider, "work", "renamed")
    return settings_for(database_url, data_key=DATA_KEY, **providers)


@pytest.fixture
def browser(graphql: GraphQL) -> Browser:
    return Browser(graphql.client)


def user_of(answer: Answer) -> dict[str, Any]:
    assert answer.errors == []
    user: dict[str, Any] = answer.data["finishSignIn"]["user"]
    return user


async def count(services: Services, model: type[Identity | Ticket]) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def verify(app: FastAPI, graphql: GraphQL, user: RegisteredUser) -> None:
    await graphql(VERIFY_EMAIL, by=user, code=await mailed_code(app, "verify_email"))


async def test_a_verified_email_without_an_account_gets_one(
    graphql: GraphQL, browser: Browser
) -> None:
    user = user_of(await sign_in(graphql, browser, username="Countess"))

    assert user["username"] == "Countess"
    assert (user["email"], user["emailVerified"]) == ("ada@example.com", True)
    assert user["hasPassword"] is False


async def test_a_linked_identity_signs_in(graphql: GraphQL, browser: Browser) -> None:
    first = user_of(await sign_in(graphql, browser, username="Countess"))
    again = await sign_in(graphql, browser)

    assert user_of(again) == first
    token = again.data["finishSignIn"]["accessToken"]
    [identity] = (await graphql(IDENTITIES, by=token)).data["me"]["identities"]
    assert (identity["provider"], identity["email"]) == ("work", "ada@example.com")
    assert (await event_kinds(graphql, token))[-1] == "LOGGED_IN"


async def test_it_signs_in_also_when_its_email_has_changed(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider
) -> None:
    first = user_of(await sign_in(graphql, browser, username="Countess"))
    identity_provider.user |= {"email": "new@example.com", "email_verified": False}

    assert user_of(await sign_in(graphql, browser)) == first


async def test_an_unverified_email_without_an_account_gets_an_unverified_one(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider
) -> None:
    identity_provider.user["email_verified"] = False
    user = user_of(await sign_in(graphql, browser, username="Countess"))

    assert (user["email"], user["emailVerified"]) == ("ada@example.com", False)


@pytest.mark.parametrize("is_verified", [False, True])
async def test_an_unverified_email_leads_to_no_account_that_has_it(
    app: FastAPI,
    graphql: GraphQL,
    browser: Browser,
    identity_provider: IdentityProvider,
    ada: RegisteredUser,
    is_verified: bool,
) -> None:
    if is_verified:
        await verify(app, graphql, ada)
    identity_provider.user["email_verified"] = False
    answer = await sign_in(graphql, browser, username="Countess")

    assert answer.code == "EMAIL_TAKEN"
    assert (await graphql(IDENTITIES, by=ada)).data["me"]["identities"] == []


async def test_a_verified_email_is_linked_to_its_verified_account_and_mailed(
    app: FastAPI, graphql: GraphQL, browser: Browser, ada: RegisteredUser
) -> None:
    await verify(app, graphql, ada)
    user = user_of(await sign_in(graphql, browser))

    assert user["id"] == ada.id
    assert user["hasPassword"] is True
    assert await is_signed_in(graphql, ada)
    assert any("Work" in mail for mail in await texts_to(app, ada.email))
    assert "IDENTITY_LINKED" in await event_kinds(graphql, ada)


async def test_an_account_that_someone_else_may_have_made_is_cleaned_first(
    graphql: GraphQL, browser: Browser, ada: RegisteredUser
) -> None:
    """Pre-hijacking: the account has the owner's email and someone else's password."""
    user = user_of(await sign_in(graphql, browser))

    assert user["id"] == ada.id
    assert (user["emailVerified"], user["hasPassword"]) == (True, False)
    assert not await is_signed_in(graphql, ada)
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"


async def test_what_someone_else_has_linked_is_removed_too(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider
) -> None:
    """Pre-hijacking with an account of a provider whose email is not verified."""
    identity_provider.user |= {"sub": "mallory", "email_verified": False}
    of_mallory = user_of(await sign_in(graphql, browser, username="Mallory"))
    identity_provider.user |= {"sub": "ada", "email_verified": True}
    owner = await sign_in(graphql, browser)
    token = owner.data["finishSignIn"]["accessToken"]
    identities = (await graphql(IDENTITIES, by=token)).data["me"]["identities"]
    identity_provider.user |= {"sub": "mallory", "email_verified": False}

    assert user_of(owner)["id"] == of_mallory["id"]
    assert len(identities) == 1
    assert (await sign_in(graphql, browser)).code == "EMAIL_TAKEN"


class TestWithoutMail:
    """Emails cannot be verified, so unverified accounts may have second factors and passkeys."""

    @pytest.fixture
    def settings(self, database_url: str, identity_provider: IdentityProvider) -> Settings:
        others = settings_of(identity_provider) | PASSKEY_SETTINGS
        return settings_for(database_url, data_key=DATA_KEY, environment="production", **others)

    async def test_the_factors_of_someone_else_are_removed_too(
        self, graphql: GraphQL, browser: Browser, ada: RegisteredUser, clock: Clock
    ) -> None:
        authenticator, _ = await add_passkey(graphql, ada)
        await set_up(graphql, ada, clock)
        before = await sign_in_with_passkey(graphql, authenticator)
        owner = await sign_in(graphql, browser)
        token = owner.data["finishSignIn"]["accessToken"]

        assert before.errors == []
        assert (await graphql(FACTORS, by=token)).data["me"]["factors"]["totp"] is False
        assert (await sign_in_with_passkey(graphql, authenticator)).code == "INVALID_CODE"


class TestVerifiedEmails:
    """REQUIRE_VERIFIED_EMAIL."""

    @pytest.fixture
    def settings(self, database_url: str, identity_provider: IdentityProvider) -> Settings:
        others = settings_of(identity_provider)
        return settings_for(database_url, data_key=DATA_KEY, require_verified_email=True, **others)

    async def test_no_account_is_created_with_an_email_that_is_not_verified(
        self, graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider
    ) -> None:
        identity_provider.user["email_verified"] = False
        refused = await sign_in(graphql, browser, username="Countess")
        identity_provider.user["email_verified"] = True
        verified = await sign_in(graphql, browser, username="Countess")

        assert refused.code == "EMAIL_NOT_VERIFIED"
        assert user_of(verified)["emailVerified"] is True


async def test_the_link_of_the_notice_removes_the_identity(
    app: FastAPI, graphql: GraphQL, browser: Browser, ada: RegisteredUser, services: Services
) -> None:
    await verify(app, graphql, ada)
    await sign_in(graphql, browser)
    answer = await graphql(SECURE_ACCOUNT, token=await mailed_token(app, "identity_linked"))

    assert answer.errors == []
    assert not await is_signed_in(graphql, ada)
    assert await count(services, Identity) == 0


async def test_an_identity_has_the_name_that_its_provider_has_now(
    graphql: GraphQL, browser: Browser
) -> None:
    await sign_in(graphql, browser, username="Countess")
    again = await sign_in(graphql, Browser(graphql.client, provider="renamed"))
    token = again.data["finishSignIn"]["accessToken"]
    [identity] = (await graphql(IDENTITIES, by=token)).data["me"]["identities"]

    assert identity["provider"] == "renamed"


async def test_an_identity_signs_in_to_the_account_that_has_it_at_that_moment(
    graphql: GraphQL,
    browser: Browser,
    services: Services,
    ada: RegisteredUser,
    grace: RegisteredUser,
) -> None:
    """It is unlinked and linked to another while the sign-in waits for the first one."""
    user_of(await sign_in(graphql, browser))
    code = await browser.code()
    # SQLite lets it read its code, and no more.
    is_sqlite = services.database.engines[1].dialect.name == "sqlite"
    # As an operator would: a transaction of a request has five seconds.
    operator = Database(create_engine(services.database.engines[1].url, time_limit=None))
    async with operator.writing() as session:
        await session.execute(select(User.id).where(User.id == UUID(ada.id)).with_for_update())
        with begun("SELECT tickets" if is_sqlite else "SELECT users") as waits:
            signing_in = asyncio.create_task(finish(graphql, browser, code))
            await waits.wait()
        new = {"id": new_id(), "user_id": UUID(grace.id)}
        await session.execute(update(Identity).values(**new))
    await operator.close()
    answer = await signing_in

    assert answer.errors or user_of(answer)["id"] == grace.id
    assert user_of(await sign_in(graphql, browser))["id"] == grace.id


async def test_identities_go_with_their_user(
    graphql: GraphQL, browser: Browser, services: Services
) -> None:
    token = (await sign_in(graphql, browser, username="Countess")).data["finishSignIn"]
    deleted = await graphql(DELETE_ME, by=token["accessToken"])

    assert deleted.errors == []
    assert await count(services, Identity) == 0
    # The same account of the provider is unknown again.
    assert (await sign_in(graphql, browser)).code == "INVALID_INPUT"


async def test_what_a_provider_said_is_kept_for_minutes_only(
    graphql: GraphQL, browser: Browser, services: Services
) -> None:
    code = await browser.code()
    await finish(graphql, browser, code)
    await browser.begin()
    async with services.database.writing() as session:
        found = (await session.scalars(select(Ticket))).all()
        longest = max(ticket.expires_at - ticket.created_at for ticket in found)
        for ticket in found:
            ticket.expires_at -= longest
    await retention.prune_tickets(services.database)

    assert sorted({ticket.kind for ticket in found}) == ["PROVIDER_CODE", "PROVIDER_FLOW"]
    assert longest == timedelta(minutes=10)
    assert await count(services, Ticket) == 0


@pytest.mark.parametrize("email", [None, "no email", ""])
async def test_without_an_email_there_is_no_account(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider, email: str | None
) -> None:
    identity_provider.user["email"] = email
    answer = await sign_in(graphql, browser, username="Countess")

    assert answer.code == "INVALID_INPUT"
    assert "provider" in answer.error["message"]


async def test_the_second_factor_is_asked_for_after_a_provider_too(
    app: FastAPI, graphql: GraphQL, browser: Browser, ada: RegisteredUser, clock: Clock
) -> None:
    await verify(app, graphql, ada)
    phone = await set_up(graphql, ada, clock)
    asked = await sign_in(graphql, browser)
    ticket = asked.error["extensions"]["challenge"]["ticket"]
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert asked.code == "SECOND_FACTOR_REQUIRED"
    assert answer.data["passSecondFactor"]["user"]["id"] == ada.id


async def test_a_new_account_is_asked_for_a_username(graphql: GraphQL, browser: Browser) -> None:
    code = await browser.code()
    without = await finish(graphql, browser, code)
    invalid = await finish(graphql, browser, code, username="a b")
    right = await finish(graphql, browser, code, username="Countess")

    assert without.code == invalid.code == "INVALID_INPUT"
    assert without.error["extensions"]["suggestedUsername"] == "ada"
    assert list(without.fields) == list(invalid.fields) == ["username"]
    assert user_of(right)["username"] == "Countess"


async def test_a_taken_username_leaves_the_code_good(
    graphql: GraphQL, browser: Browser, grace: RegisteredUser
) -> None:
    code = await browser.code()
    taken = await finish(graphql, browser, code, username="Grace")
    free = await finish(graphql, browser, code, username="Countess")

    assert taken.code == "USERNAME_TAKEN"
    assert user_of(free)["username"] == "Countess"


async def test_of_two_new_accounts_at_once_one_is_created_and_both_sign_in(
    graphql: GraphQL, browser: Browser
) -> None:
    codes = [await browser.code() for _ in range(2)]
    answers = await asyncio.gather(
        *(finish(graphql, browser, code, username=f"Countess{n}") for n, code in enumerate(codes))
    )

    assert len({user_of(answer)["id"] for answer in answers}) == 1


async def test_a_code_works_once(graphql: GraphQL, browser: Browser) -> None:
    code = await browser.code()
    first = await finish(graphql, browser, code, username="Countess")
    again = await finish(graphql, browser, code)

    assert first.errors == []
    assert again.code == "INVALID_CODE"
    assert (await graphql(ME, by=first.data["finishSignIn"]["accessToken"])).errors == []
