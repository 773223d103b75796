from uuid import UUID

import httpx
import pytest

from db.models import User
from domain import emails, usernames
from domain.services import Services
from tests.conftest import client_of, settings_for, unprepared_app
from tests.operations import LOGIN, ME
from tests.users import GraphQL, RegisteredUser


@pytest.mark.parametrize("name", ["Ada", "ada", "ADA", "ada@example.com", "Ada@Example.COM"])
async def test_a_username_or_an_email_in_any_case_logs_in(
    graphql: GraphQL, ada: RegisteredUser, name: str
) -> None:
    answer = await graphql(LOGIN, username=name, password=ada.password)

    token = answer.data["login"]["accessToken"]
    me = await graphql(ME, by=token)
    assert me.data["me"]["id"] == ada.id


@pytest.mark.parametrize("blanks", ["{} ", " {}", "\t{}\n", "\u00a0{}\u3000"])
@pytest.mark.parametrize("name", ["Ada", "ADA@example.com"])
async def test_blanks_around_a_name_or_an_email_are_no_part_of_it(
    graphql: GraphQL, client: httpx.AsyncClient, ada: RegisteredUser, name: str, blanks: str
) -> None:
    typed = blanks.format(name)
    answer = await graphql(LOGIN, username=typed, password=ada.password)
    token = await client.post(
        "/token",
        data={"grant_type": "password", "username": typed, "password": ada.password},
    )

    assert answer.data["login"]["user"]["id"] == ada.id
    assert token.status_code == 200


async def test_blanks_do_not_make_more_attempts(database_url: str) -> None:
    settings = settings_for(database_url, login_limit_per_account="3/hour")
    async with unprepared_app(settings) as app, client_of(app) as client:
        graphql = GraphQL(client)
        names = ["Ada", "Ada ", " ada", "\tADA\n"]
        codes = [
            (await graphql(LOGIN, username=name, password="difference engine")).code
            for name in names
        ]

    assert codes == ["INVALID_CREDENTIALS"] * 3 + ["TOO_MANY_ATTEMPTS"]


@pytest.mark.parametrize(
    ("username", "email"),
    [
        ("a_very__old.name", "ada@mail.test"),
        ("x", "ada@localhost"),
        ("Ada Lovelace", "ada@bücher..example"),
    ],
)
async def test_an_account_that_todays_rules_would_refuse_still_logs_in(
    graphql: GraphQL, services: Services, ada: RegisteredUser, username: str, email: str
) -> None:
    async with services.database.writing() as session:
        user = await session.get_one(User, UUID(ada.id))
        user.username, user.username_key = username, str(usernames.key(username))
        user.email, user.email_key = email, str(emails.key(email))
    by_name = await graphql(LOGIN, username=username.upper(), password=ada.password)
    by_email = await graphql(LOGIN, username=email.upper(), password=ada.password)

    assert by_name.data["login"]["user"]["id"] == by_email.data["login"]["user"]["id"] == ada.id


async def test_an_unknown_user_and_a_wrong_password_read_the_same(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    wrong = await graphql(LOGIN, username="Ada", password="difference engine")
    unknown = await graphql(LOGIN, username="Nobody", password="difference engine")
    unknown_email = await graphql(LOGIN, username="nobody@example.com", password=ada.password)

    assert wrong.code == "INVALID_CREDENTIALS"
    assert wrong == unknown == unknown_email


@pytest.mark.parametrize("password", ["Analytical Engine", "analytical engine ", "", "a" * 129])
async def test_a_password_counts_exactly_as_typed(
    graphql: GraphQL, ada: RegisteredUser, password: str
) -> None:
    answer = await graphql(LOGIN, username="Ada", password=password)

    assert answer.code == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("text", ["\0", "\ud800", "@", "a@\0", "\ud800@example.com", "a" * 100_000])
async def test_a_login_with_impossible_text_is_just_wrong(
    graphql: GraphQL, ada: RegisteredUser, text: str
) -> None:
    as_name = await graphql(LOGIN, username=text, password=ada.password)
    as_password = await graphql(LOGIN, username="Ada", password=text)

    assert as_name.code == as_password.code == "INVALID_CREDENTIALS"


async def test_a_broken_token_does_not_keep_anyone_from_logging_in(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(LOGIN, by="broken", username="Ada", password=ada.password)

    assert answer.errors == []
