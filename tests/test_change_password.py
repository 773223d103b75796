from tests.operations import CHANGE_PASSWORD, LOGIN, ME
from tests.users import GraphQL, RegisteredUser


async def test_the_new_password_logs_in_and_the_old_one_does_not(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new="difference engine")

    me = await graphql(ME, by=answer.data["changePassword"]["accessToken"])
    new = await graphql(LOGIN, username="Ada", password="difference engine")
    old = await graphql(LOGIN, username="Ada", password=ada.password)
    assert me.data["me"]["id"] == ada.id
    assert new.errors == []
    assert old.code == "INVALID_CREDENTIALS"


async def test_it_takes_the_current_password(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(CHANGE_PASSWORD, by=ada, current="wrong engine", new="difference engine")

    assert answer.code == "INVALID_CREDENTIALS"
    assert list(answer.fields) == ["currentPassword"]
    assert (await graphql(LOGIN, username="Ada", password=ada.password)).errors == []


async def test_the_new_password_obeys_the_rules(graphql: GraphQL, ada: RegisteredUser) -> None:
    short = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new="short")
    own_email = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new="ADA@example.com")

    assert short.code == own_email.code == "INVALID_INPUT"
    assert list(short.fields) == list(own_email.fields) == ["newPassword"]


async def test_nobody_has_no_password_to_change(graphql: GraphQL) -> None:
    answer = await graphql(CHANGE_PASSWORD, current="analytical engine", new="difference engine")

    assert answer.code == "UNAUTHENTICATED"
