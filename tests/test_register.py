import pytest

from tests.operations import ME, REGISTER, UPDATE_ME
from tests.users import GraphQL, RegisteredUser


async def test_who_registers_is_logged_in(graphql: GraphQL) -> None:
    answer = await graphql(
        REGISTER, username="Ada", email="Ada@Example.com", password="analytical engine"
    )

    token = answer.data["register"]
    me = await graphql(ME, by=token["accessToken"])
    assert me.data["me"] == token["user"]
    assert token["tokenType"] == "bearer"
    assert token["expiresIn"] == 30 * 60
    assert token["user"]["username"] == "Ada"
    assert token["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize("username", ["ada", "ADA", "Ada"])
async def test_a_username_is_taken_in_any_case(
    graphql: GraphQL, ada: RegisteredUser, username: str
) -> None:
    answer = await graphql(
        REGISTER, username=username, email="other@example.com", password="analytical engine"
    )

    assert answer.data is None
    assert answer.code == "USERNAME_TAKEN"
    assert list(answer.fields) == ["username"]


async def test_an_email_is_taken_in_any_case(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(
        REGISTER, username="Lovelace", email="ADA@EXAMPLE.COM", password="analytical engine"
    )

    assert answer.code == "EMAIL_TAKEN"
    assert list(answer.fields) == ["email"]


async def test_of_a_name_and_an_email_that_are_taken_the_name_is_told(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    registered = await graphql(
        REGISTER, username="ada", email=ada.email, password="analytical engine"
    )
    updated = await graphql(
        UPDATE_ME,
        by=grace,
        input={"username": "ada", "email": ada.email, "currentPassword": grace.password},
    )

    assert registered.code == updated.code == "USERNAME_TAKEN"


async def test_every_field_at_fault_is_named_at_once(graphql: GraphQL) -> None:
    answer = await graphql(REGISTER, username="a", email="nobody", password="short")

    assert answer.code == "INVALID_INPUT"
    assert sorted(answer.fields) == ["email", "password", "username"]


@pytest.mark.parametrize(
    "character", ["\0", "\ud800", "\u200b", "\u202e", "\n", "\x7f", "\ufeff", "\u00ad", " "]
)
@pytest.mark.parametrize("field", ["username", "email"])
async def test_what_cannot_be_read_is_refused_and_its_field_named(
    graphql: GraphQL, field: str, character: str
) -> None:
    user = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    user[field] = user[field][:2] + character + user[field][2:]

    answer = await graphql(REGISTER, **user)

    assert answer.code == "INVALID_INPUT"
    assert list(answer.fields) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a" * 33),
        ("email", "a" * 250 + "@example.com"),
        ("password", "a" * 129),
        ("username", "a" * 500_000),
        ("email", "a@" * 250_000),
        ("password", "a" * 500_000),
    ],
)
async def test_what_is_too_long_is_refused_and_its_field_named(
    graphql: GraphQL, field: str, value: str
) -> None:
    user = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}

    answer = await graphql(REGISTER, **{**user, field: value})

    assert answer.code == "INVALID_INPUT"
    assert list(answer.fields) == [field]


async def test_a_refused_registration_leaves_nothing_behind(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(
        REGISTER, username="Grace", email="ada@example.com", password="nanoseconds of wire"
    )
    answer = await graphql(
        REGISTER, username="Grace", email="grace@example.com", password="nanoseconds of wire"
    )

    assert answer.errors == []
