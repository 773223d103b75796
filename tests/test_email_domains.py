"""ALLOWED_EMAIL_DOMAINS and BLOCKED_EMAIL_DOMAINS: whose mailboxes a new account can have."""

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from domain import emails
from domain.email_domains import NOT_ACCEPTED, EmailDomains
from settings import Settings
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY, mailed_code
from tests.operations import (
    CONFIRM_EMAIL_CHANGE,
    FINISH_REGISTRATION,
    LOGIN,
    REGISTER,
    REQUEST_EMAIL_CHANGE,
    REQUEST_PASSWORD_RESET,
    REQUEST_SIGN_IN,
    START_REGISTRATION,
    UPDATE_ME,
)
from tests.provider_sign_ins import Browser, settings_of, sign_in
from tests.serving import served
from tests.users import GraphQL, RegisteredUser, register_user

PASSWORD = "analytical engine"
BLOCKED = {"blocked_email_domains": "example.com, *.example.com"}

ADDRESSES = {
    "ada@example.com": {"example.com", "*.com"},
    "ada@mail.example.com": {"mail.example.com", "*.example.com", "*.com"},
    "ada@a.mail.example.com": {"*.mail.example.com", "*.example.com", "*.com"},
    "ada@Example.COM": {"example.com", "*.com"},
    "ada@münchen.example": {"xn--mnchen-3ya.example"},
}
LISTED = sorted({name for names in ADDRESSES.values() for name in names})


@pytest.mark.parametrize("email", ADDRESSES)
@pytest.mark.parametrize("name", LISTED)
def test_a_listed_domain_is_allowed_or_blocked(email: str, name: str) -> None:
    address = emails.parse(email)
    assert address
    is_listed = name in ADDRESSES[email]

    assert EmailDomains(allowed=[name]).accept(address) is is_listed
    assert EmailDomains(blocked=[name]).accept(address) is not is_listed


def test_a_blocked_domain_is_blocked_also_below_an_allowed_one() -> None:
    domains = EmailDomains(allowed=["*.example.com"], blocked=["old.example.com"])
    new, old = emails.parse("ada@new.example.com"), emails.parse("ada@old.example.com")

    assert new
    assert old
    assert domains.accept(new)
    assert not domains.accept(old)


@pytest.mark.any_database
def test_domains_are_listed_in_any_case_and_script(database_url: str) -> None:
    settings = settings_for(
        database_url, allowed_email_domains="Example.COM, *.MÜNCHEN.example,", registration="OPEN"
    )

    assert settings.allowed_email_domains == ("example.com", "*.xn--mnchen-3ya.example")
    assert settings.registration == "open"


@pytest.mark.any_database
@pytest.mark.parametrize(
    "domain", ["@example.com", "ada@example.com", "*example.com", "*", "a b", "10.0.0.1", "*.*.com"]
)
def test_what_is_no_domain_prevents_the_start(database_url: str, domain: str) -> None:
    with pytest.raises(ValidationError, match="must be domains such as"):
        settings_for(database_url, blocked_email_domains=domain)


@pytest.mark.parametrize("email", ["ada@example.com", "ada@mail.EXAMPLE.com"])
@pytest.mark.parametrize("document", [REGISTER, START_REGISTRATION])
async def test_no_account_gets_a_blocked_email(
    database_url: str, document: str, email: str
) -> None:
    async with served(database_url, data_key=DATA_KEY, **BLOCKED) as graphql:
        refused = await graphql(document, username="Ada", email=email, password=PASSWORD)
        accepted = await graphql(
            document, username="Ada", email="ada@example.org", password=PASSWORD
        )

    assert refused.code == "INVALID_INPUT"
    assert refused.fields == {"email": [NOT_ACCEPTED]}
    assert accepted.errors == []


@pytest.mark.parametrize("document", [REGISTER, START_REGISTRATION])
async def test_whether_a_blocked_email_has_an_account_is_not_told(
    database_url: str, document: str
) -> None:
    async with served(database_url) as graphql:
        await register_user(graphql, "Ada", "ada@example.com", PASSWORD)
    async with served(database_url, data_key=DATA_KEY, **BLOCKED) as graphql:
        known = await graphql(document, username="Eve", email="ada@example.com", password=PASSWORD)
        unknown = await graphql(
            document, username="Eve", email="new@example.com", password=PASSWORD
        )

    assert known == unknown


async def test_accounts_of_a_blocked_domain_stay_as_they_are(database_url: str) -> None:
    async with served(database_url) as graphql:
        await register_user(graphql, "Ada", "ada@example.com", PASSWORD)
    async with served(database_url, **BLOCKED) as graphql:
        login = await graphql(LOGIN, username="ada@example.com", password=PASSWORD)
        changes = {"username": "Countess", "email": "ada@example.com"}
        updated = await graphql(UPDATE_ME, by=login.data["login"]["accessToken"], input=changes)
    async with served(database_url, data_key=DATA_KEY, **BLOCKED) as graphql:
        mailed = [
            await graphql(document, email="ada@example.com")
            for document in (REQUEST_PASSWORD_RESET, REQUEST_SIGN_IN)
        ]

    assert updated.data["updateMe"]["username"] == "Countess"
    assert [answer.errors for answer in mailed] == [[], []]


async def test_an_email_is_not_changed_to_a_blocked_one(database_url: str) -> None:
    async with served(database_url) as graphql:
        ada = await register_user(graphql, "Ada", "ada@example.org", PASSWORD)
    change = {"email": "ada@example.com", "currentPassword": PASSWORD}
    async with served(database_url, **BLOCKED) as graphql:
        without_mail = await graphql(UPDATE_ME, by=ada, input=change)
    async with served(database_url, data_key=DATA_KEY, **BLOCKED) as graphql:
        with_mail = await graphql(
            REQUEST_EMAIL_CHANGE, by=ada, email="ada@example.com", password=PASSWORD
        )

    assert without_mail.fields == {"email": [NOT_ACCEPTED]}
    assert with_mail.fields == {"newEmail": [NOT_ACCEPTED]}


async def test_an_email_that_is_blocked_meanwhile_is_not_confirmed(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, database_url: str
) -> None:
    await graphql(REQUEST_EMAIL_CHANGE, by=ada, email="a@example.org", password=ada.password)
    code = await mailed_code(app, "change_email")
    started = await graphql(
        START_REGISTRATION, username="Eve", email="eve@example.org", password=PASSWORD
    )
    ticket = started.data["startRegistration"]["ticket"]
    other = await mailed_code(app, "registration_code")
    blocked = {"data_key": DATA_KEY, "blocked_email_domains": "example.org"}
    async with served(database_url, **blocked) as later:
        changed = await later(CONFIRM_EMAIL_CHANGE, by=ada, code=code)
        created = await later(FINISH_REGISTRATION, ticket=ticket, code=other)

    assert changed.fields == created.fields == {"code": [NOT_ACCEPTED]}
    # Neither has used the code.
    assert (await graphql(CONFIRM_EMAIL_CHANGE, by=ada, code=code)).errors == []
    assert (await graphql(FINISH_REGISTRATION, ticket=ticket, code=other)).errors == []


async def test_a_provider_makes_no_account_with_a_blocked_email(
    database_url: str, identity_provider: IdentityProvider
) -> None:
    settings = {"data_key": DATA_KEY, **settings_of(identity_provider), **BLOCKED}
    async with served(database_url, **settings) as graphql:
        refused = await sign_in(graphql, Browser(graphql.client), username="Ada")
        identity_provider.user["email"] = "ada@example.org"
        accepted = await sign_in(graphql, Browser(graphql.client), username="Ada")

    assert refused.code == "INVALID_INPUT"
    assert refused.fields == {"code": [NOT_ACCEPTED]}
    assert accepted.errors == []


async def test_a_provider_signs_in_to_an_account_with_a_blocked_email(
    database_url: str, identity_provider: IdentityProvider
) -> None:
    settings = {"data_key": DATA_KEY, **settings_of(identity_provider)}
    async with served(database_url, **settings) as graphql:
        await sign_in(graphql, Browser(graphql.client), username="Ada")
    async with served(database_url, **settings, **BLOCKED) as graphql:
        answer = await sign_in(graphql, Browser(graphql.client))

    assert answer.errors == []


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)
