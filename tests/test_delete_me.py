from tests.operations import DELETE_ME, LOGIN, ME, POST, REFRESH, USER
from tests.posts import publish
from tests.sessions import log_in
from tests.users import GraphQL, RegisteredUser, register_user


async def test_the_account_its_posts_and_its_sessions_are_gone(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    post, hers = await publish(graphql, ada), await publish(graphql, grace)
    phone = await log_in(graphql, ada)
    answer = await graphql(DELETE_ME, by=phone, password=ada.password)

    assert answer.data == {"deleteMe": ada.id}
    user = await graphql(USER, id=ada.id)
    assert user.data == {"user": None}
    assert (await graphql(POST, id=post["id"])).data == {"post": None}
    assert (await graphql(POST, id=hers["id"])).data["post"]["author"] == {"username": "Grace"}
    assert (await graphql(ME, by=phone)).code == (await graphql(ME, by=ada)).code
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"


async def test_the_name_and_the_email_are_free_again(graphql: GraphQL, ada: RegisteredUser) -> None:
    await graphql(DELETE_ME, by=ada, password=ada.password)
    another = await register_user(graphql, "ADA", "ada@example.com", "difference engine")

    assert another.id != ada.id


async def test_it_takes_the_password(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(DELETE_ME, by=ada, password="difference engine")

    assert answer.code == "INVALID_CREDENTIALS"
    assert list(answer.fields) == ["password"]
    assert (await graphql(ME, by=ada)).data["me"]["id"] == ada.id


async def test_nobody_has_no_account_to_delete(graphql: GraphQL) -> None:
    assert (await graphql(DELETE_ME, password="analytical engine")).code == "UNAUTHENTICATED"
