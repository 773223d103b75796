import pytest

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
