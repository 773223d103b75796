"""REGISTRATION: who can create an account, and invitations."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy import func, select

from api.app import create_app
from db.models import Ticket, User, UserRole
from domain import admin, tickets
from domain.accounts.invitations import LIFETIME
from domain.outbox import OutboxKind
from domain.roles import OPERATOR, Role
from domain.services import RegistrationMode, Services
from settings import Settings
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY, mailed_code, newest_mail, texts_to
from tests.operations import (
    FINISH_REGISTRATION,
    INVITE,
    LOGIN,
    REGISTER,
    REGISTER_INVITED,
    REVOKE_INVITATION,
    START_REGISTRATION,
)
from tests.outboxes import rows
from tests.provider_sign_ins import Browser, settings_of, sign_in
from tests.security_events import event_kinds
from tests.serving import served
from tests.users import THIS_DEVICE, Answer, GraphQL, RegisteredUser, register_user
from tests.webhooks import SECRET, types_of

EMAIL, PASSWORD = "new+1@example.com", "nanoseconds of wire"
NEWCOMER = {"username": "Newcomer", "email": EMAIL, "password": PASSWORD}
INVITE_ONLY = {"registration": "invite", "data_key": DATA_KEY}
BY_INVITATION = "This server creates accounts by invitation only."
LINK = re.compile(r"/sign-up#invitation=(\S{64})&email=(\S+)")


@pytest.fixture
async def ada(database_url: str) -> RegisteredUser:
    """Ada, who has registered while everyone could, and is an administrator."""
    async with served(database_url) as graphql:
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        services = graphql.client._transport.app.state.gatehouse.services  # type: ignore[attr-defined]
        await grant(services, ada, Role.ADMIN)
    return ada


async def grant(services: Services, user: RegisteredUser, role: Role) -> None:
    async with services.database.writing() as session:
        session.add(
            UserRole(
                user_id=UUID(user.id), role=role, granted_by=None, created_at=datetime.now(UTC)
            )
        )


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, **INVITE_ONLY)


@pytest.fixture
async def app(ada: RegisteredUser, settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def invitation(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> str:
    """Return the token of an invitation that Ada has sent."""
    return await invited(app, graphql, ada)


async def invited(app: FastAPI, graphql: GraphQL, ada: RegisteredUser, email: str = EMAIL) -> str:
    answer = await graphql(INVITE, by=ada, email=email)
    assert answer.errors == []
    token, _ = await newest_link(app)
    return token


async def newest_link(app: FastAPI) -> tuple[str, str]:
    """Return the token and the email of the link in the newest invitation."""
    found = LINK.search(await newest_mail(app, "invitation"))
    assert found
    return found[1], unquote(found[2])


async def register(graphql: GraphQL, invitation: str | None, **changes: str) -> Answer:
    return await graphql(REGISTER_INVITED, **NEWCOMER | changes, invitation=invitation)


async def number_of(services: Services, model: type[User | Ticket]) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("mode", ["closed", "invite"])
@pytest.mark.parametrize("document", [REGISTER, START_REGISTRATION])
async def test_no_one_registers_by_themselves(
    database_url: str, ada: RegisteredUser, mode: str, document: str
) -> None:
    async with served(database_url, registration=mode, data_key=DATA_KEY) as graphql:
        unknown = await graphql(document, **NEWCOMER)
        known = await graphql(document, **NEWCOMER | {"email": ada.email, "username": "Ada"})
        invalid = await graphql(document, username="", email="", password="")
        login = await graphql(LOGIN, username="Ada", password=ada.password)

    assert unknown.code == "REGISTRATION_CLOSED"
    # Nothing tells whether there is an account.
    assert unknown == known == invalid
    assert login.errors == []


async def test_a_registration_that_has_started_does_not_finish_once_it_is_closed(
    database_url: str,
) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app), client_of(app) as client:
        started = await GraphQL(client)(START_REGISTRATION, **NEWCOMER)
        code = await mailed_code(app, "registration_code")
    async with served(database_url, registration="closed") as graphql:
        ticket = started.data["startRegistration"]["ticket"]
        answer = await graphql(FINISH_REGISTRATION, ticket=ticket, code=code)

    assert answer.code == "REGISTRATION_CLOSED"


async def test_an_invitation_creates_an_account_whose_email_is_verified(
    app: FastAPI, graphql: GraphQL, invitation: str, services: Services
) -> None:
    answer = await register(graphql, invitation)

    user = answer.data["register"]["user"]
    assert (user["username"], user["email"], user["emailVerified"]) == ("Newcomer", EMAIL, True)
    assert await number_of(services, Ticket) == 0
    # No other mail than the invitation, which has the address for the form.
    assert len(await texts_to(app, EMAIL)) == 1
    assert await newest_link(app) == (invitation, EMAIL)


async def test_an_invitation_works_once(graphql: GraphQL, invitation: str) -> None:
    await register(graphql, invitation)
    again = await register(graphql, invitation, username="Another")

    assert again.code == "INVALID_CODE"
    assert list(again.fields) == ["invitation"]


async def test_of_two_registrations_at_once_one_uses_the_invitation(
    graphql: GraphQL, invitation: str, services: Services
) -> None:
    before = await number_of(services, User)
    answers = await asyncio.gather(
        *(register(graphql, invitation, username=f"Newcomer{n}") for n in range(5))
    )

    assert sorted(not answer.errors for answer in answers) == [False] * 4 + [True]
    assert {answer.code for answer in answers if answer.errors} <= {"INVALID_CODE", "EMAIL_TAKEN"}
    assert await number_of(services, User) == before + 1


async def test_what_is_refused_does_not_use_the_invitation(
    graphql: GraphQL, invitation: str
) -> None:
    refused = [
        await register(graphql, invitation, username="Ada"),
        await register(graphql, invitation, username="x"),
        await register(graphql, invitation, email="eve@example.com"),
    ]
    accepted = await register(graphql, invitation, email="New+1@EXAMPLE.com ")

    assert [answer.code for answer in refused] == ["USERNAME_TAKEN"] + ["INVALID_INPUT"] * 2
    assert refused[2].fields == {"email": ["This invitation is for another email."]}
    assert accepted.errors == []


@pytest.mark.parametrize("token", ["", "x", "A" * 64, "x" * 10_000])
async def test_what_is_no_invitation_is_refused(
    graphql: GraphQL, invitation: str, token: str
) -> None:
    answer = await register(graphql, token)

    assert answer.code == "INVALID_CODE"
    assert list(answer.fields) == ["invitation"]


async def test_the_token_of_another_mail_is_no_invitation(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    assert services.mailer
    async with services.database.writing() as session:
        new = tickets.create(
            session,
            tickets.TicketKind.PASSWORD_RESET,
            lifetime=LIFETIME,
            state={"email_key": EMAIL},
        )
    token = tickets.token(services.mailer.keys, tickets.TicketKind.PASSWORD_RESET, new.ticket.id)

    assert (await register(graphql, token)).code == "INVALID_CODE"


async def test_an_invitation_expires_after_seven_days(graphql: GraphQL, invitation: str) -> None:
    with moved_clock(timedelta(days=7, seconds=1)):
        late = await register(graphql, invitation)
    in_time = await register(graphql, invitation)

    assert late.code == "INVALID_CODE"
    assert in_time.errors == []


async def test_a_new_invitation_ends_the_one_before(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, invitation: str
) -> None:
    other = await invited(app, graphql, ada, "other@example.com")
    newer = await invited(app, graphql, ada)

    assert (await register(graphql, invitation)).code == "INVALID_CODE"
    assert (await register(graphql, newer)).errors == []
    is_kept = await register(graphql, other, username="Other", email="other@example.com")
    assert is_kept.errors == []


async def test_an_invitation_is_revoked(
    graphql: GraphQL, ada: RegisteredUser, invitation: str
) -> None:
    first, second = [
        await graphql(REVOKE_INVITATION, by=ada, email=EMAIL.upper()) for _ in range(2)
    ]

    assert first.data == {"revokeInvitation": True}
    assert second.data == {"revokeInvitation": False}
    assert (await register(graphql, invitation)).code == "INVALID_CODE"


async def test_only_those_who_may_invite_do(
    graphql: GraphQL, services: Services, invitation: str
) -> None:
    answer = await register(graphql, invitation)
    token = answer.data["register"]["accessToken"]
    user = RegisteredUser(answer.data["register"]["user"]["id"], "", EMAIL, PASSWORD, token, "")
    as_user = [
        await graphql(document, by=user, email="other@example.com")
        for document in (INVITE, REVOKE_INVITATION)
    ]
    await grant(services, user, Role.SUPPORT)
    as_support = await graphql(INVITE, by=user, email="other@example.com")
    as_no_one = await graphql(INVITE, email="other@example.com")

    assert [answer.code for answer in as_user] == ["FORBIDDEN", "FORBIDDEN"]
    assert as_support.code == "FORBIDDEN"
    assert as_no_one.code == "UNAUTHENTICATED"


async def test_who_is_registered_is_not_invited(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    answer = await graphql(INVITE, by=ada, email="ADA@example.com")

    assert answer.code == "EMAIL_TAKEN"
    assert await rows(services.database) == []


async def test_invitations_are_on_record(
    graphql: GraphQL, ada: RegisteredUser, invitation: str
) -> None:
    assert (await event_kinds(graphql, ada))[-1] == "INVITATION_SENT"


async def test_invitations_are_limited(database_url: str, ada: RegisteredUser) -> None:
    limits = {"mail_limit_per_address": "1/minute", "write_limit_per_user": "2/minute"}
    async with served(database_url, **INVITE_ONLY, **limits) as graphql:
        emails = ["a@example.com", "a@example.com", "b@example.com"]
        answers = [await graphql(INVITE, by=ada, email=email) for email in emails]

    assert answers[0].errors == []
    assert [answer.code for answer in answers[1:]] == ["TOO_MANY_ATTEMPTS"] * 2


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"registration": "closed", "data_key": DATA_KEY}, "REGISTRATION_CLOSED"),
        ({}, "MAIL_NOT_CONFIGURED"),
        ({"data_key": DATA_KEY, "allowed_email_domains": "example.org"}, "INVALID_INPUT"),
    ],
)
async def test_no_one_is_invited_who_could_not_register(
    database_url: str, ada: RegisteredUser, settings: dict[str, Any], code: str
) -> None:
    async with served(database_url, **settings) as graphql:
        answer = await graphql(INVITE, by=ada, email=EMAIL)

    assert answer.code == code


async def test_an_invitation_proves_the_email_where_that_is_required(
    app: FastAPI, graphql: GraphQL, database_url: str, invitation: str
) -> None:
    settings = {"data_key": DATA_KEY, "require_verified_email": True}
    async with served(database_url, **settings) as later:
        without = await register(later, None)
        invited = await register(later, invitation)

    assert without.code == "EMAIL_NOT_VERIFIED"
    assert invited.data["register"]["user"]["emailVerified"] is True


async def test_the_operator_invites(services: Services, app: FastAPI, graphql: GraphQL) -> None:
    invitation = await admin.invite(services, THIS_DEVICE, OPERATOR, email=EMAIL)
    token, _ = await newest_link(app)

    assert invitation.expires_at > datetime.now(UTC) + LIFETIME - timedelta(minutes=1)
    assert (await register(graphql, token)).errors == []


async def test_a_provider_creates_an_account_for_an_invited_email(
    database_url: str, ada: RegisteredUser, identity_provider: IdentityProvider
) -> None:
    identity_provider.user["email"] = EMAIL
    async with served(database_url, **INVITE_ONLY, **settings_of(identity_provider)) as graphql:
        before = await sign_in(graphql, Browser(graphql.client), username="Newcomer")
        await graphql(INVITE, by=ada, email=EMAIL)
        identity_provider.user["email_verified"] = False
        unverified = await sign_in(graphql, Browser(graphql.client), username="Newcomer")
        identity_provider.user["email_verified"] = True
        accepted = await sign_in(graphql, Browser(graphql.client), username="Newcomer")
        again = await sign_in(graphql, Browser(graphql.client))
        revoked = await graphql(REVOKE_INVITATION, by=ada, email=EMAIL)

    assert before.code == unverified.code == "REGISTRATION_CLOSED"
    assert before.error["message"] == BY_INVITATION
    assert accepted.data["finishSignIn"]["user"]["emailVerified"] is True
    assert again.errors == []
    assert revoked.data == {"revokeInvitation": False}


@pytest.mark.parametrize("mode", ["closed", "invite"])
async def test_a_provider_tells_no_one_whether_there_is_an_account(
    database_url: str, ada: RegisteredUser, identity_provider: IdentityProvider, mode: str
) -> None:
    identity_provider.user["email_verified"] = False
    settings = {"registration": mode, "data_key": DATA_KEY, **settings_of(identity_provider)}
    async with served(database_url, **settings) as graphql:
        known = await sign_in(graphql, Browser(graphql.client))
        identity_provider.user["email"] = EMAIL
        unknown = await sign_in(graphql, Browser(graphql.client))

    assert known.code == "REGISTRATION_CLOSED"
    assert known == unknown


async def test_a_provider_signs_in_to_an_account_while_none_is_created(
    database_url: str, ada: RegisteredUser, identity_provider: IdentityProvider
) -> None:
    settings = {"registration": "closed", "data_key": DATA_KEY, **settings_of(identity_provider)}
    async with served(database_url, **settings) as graphql:
        answer = await sign_in(graphql, Browser(graphql.client))

    assert answer.data["finishSignIn"]["user"]["id"] == ada.id


async def test_an_invited_account_is_published_as_verified(
    database_url: str, ada: RegisteredUser
) -> None:
    webhooks = {"webhooks": "https://a.example/hook", "webhook_secrets": SECRET}
    app = create_app(settings_for(database_url, **INVITE_ONLY, **webhooks))
    # What is published stays in the outbox.
    app.state.gatehouse.senders.clear()
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        await register(graphql, await invited(app, graphql, ada))
        found = await rows(app.state.gatehouse.services.database)

    published = types_of(row for row in found if row.kind == OutboxKind.WEBHOOK)
    assert published == ["session.started", "user.registered", "user.verified"]


@pytest.mark.any_database
def test_invitations_need_mail(database_url: str) -> None:
    with pytest.raises(ValidationError, match="REGISTRATION=invite needs mail"):
        settings_for(database_url, registration="invite")


@pytest.mark.any_database
def test_everyone_can_register_by_default(database_url: str) -> None:
    assert RegistrationMode(settings_for(database_url).registration) is RegistrationMode.OPEN
