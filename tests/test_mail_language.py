"""The language of mails: of the browser at the registration, or chosen."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.mail.languages import preferred_language
from tests.conftest import settings_for
from tests.operations import REQUEST_EMAIL_VERIFICATION
from tests.outboxes import rows
from tests.users import Answer, GraphQL, RegisteredUser, register_user

DATA_KEY = "a data key for tests, and for nothing else but tests"
LOCALE = "mutation ($to: String!) { updateMe(input: { locale: $to }) { locale } }"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def newest_subject(app: FastAPI) -> str:
    row = (await rows(app.state.gatehouse.services.database))[-1]
    message = app.state.gatehouse.mail_renderer.render(
        row.payload, id=row.id, date=row.created_at, token="x", code="482913"
    )
    return str(message["Subject"])


async def set_locale(graphql: GraphQL, by: RegisteredUser, to: str) -> Answer:
    return await graphql(LOCALE, by=by, to=to)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr, en;q=0.3, DE ; q=0.7", "de"),
        ("en;q=0.9, de;q=0.9", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", None),
        ("fr-CH, *;q=0.5", None),
        ("", None),
        (",;q=,de;q=x,en;;", "de"),
    ],
)
def test_the_language_of_a_header(header: str, language: str | None) -> None:
    assert preferred_language(header) == language


async def test_a_registration_keeps_the_browsers_language_and_mails_are_in_it(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL
) -> None:
    client.headers["Accept-Language"] = "de-AT,de;q=0.9,en;q=0.8"
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    del client.headers["Accept-Language"]

    assert (await graphql("{ me { locale } }", by=ada)).data == {"me": {"locale": "de"}}
    assert await newest_subject(app) == "Bestätigen Sie Ihre E-Mail-Adresse"


async def test_the_language_can_be_changed(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    before = await graphql("{ me { locale } }", by=ada)
    changed = await set_locale(graphql, ada, "de-CH")
    await graphql(REQUEST_EMAIL_VERIFICATION, by=ada)

    assert before.data == {"me": {"locale": "en"}}
    assert changed.data == {"updateMe": {"locale": "de"}}
    assert await newest_subject(app) == "Bestätigen Sie Ihre E-Mail-Adresse"


@pytest.mark.parametrize("locale", ["", "fr", "x" * 10_000])
async def test_a_language_without_texts_is_an_error(
    graphql: GraphQL, ada: RegisteredUser, locale: str
) -> None:
    answer = await set_locale(graphql, ada, locale)

    assert answer.code == "INVALID_INPUT"
    assert answer.fields == {
        "locale": ["There are no mails in this language. Choose one of en, de."]
    }
