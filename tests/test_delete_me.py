from tests.people import LOGIN, ME, GraphQL, Person, join
from tests.test_posts import POST, publish
from tests.test_refresh import REFRESH
from tests.test_sessions import log_in

DELETE_ME = "mutation ($password: String!) { deleteMe(password: $password) }"


async def test_the_account_its_posts_and_its_sessions_are_gone(
    graphql: GraphQL, ada: Person, grace: Person
) -> None:
    post, hers = await publish(graphql, ada), await publish(graphql, grace)
    phone = await log_in(graphql, ada)
    answer = await graphql(DELETE_ME, by=phone, password=ada.password)

    assert answer.data == {"deleteMe": ada.id}
    user = await graphql("query ($id: ID!) { user(id: $id) { id } }", id=ada.id)
    assert user.data == {"user": None}
    assert (await graphql(POST, id=post["id"])).data == {"post": None}
    assert (await graphql(POST, id=hers["id"])).data["post"]["author"] == {"username": "Grace"}
    assert (await graphql(ME, by=phone)).code == (await graphql(ME, by=ada)).code
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"


async def test_the_name_and_the_email_are_free_again(graphql: GraphQL, ada: Person) -> None:
    await graphql(DELETE_ME, by=ada, password=ada.password)
    another = await join(graphql, "ADA", "ada@example.com", "difference engine")

    assert another.id != ada.id


async def test_it_takes_the_password(graphql: GraphQL, ada: Person) -> None:
    answer = await graphql(DELETE_ME, by=ada, password="difference engine")

    assert answer.code == "INVALID_CREDENTIALS"
    assert list(answer.fields) == ["password"]
    assert (await graphql(ME, by=ada)).data["me"]["id"] == ada.id


async def test_nobody_has_no_account_to_delete(graphql: GraphQL) -> None:
    assert (await graphql(DELETE_ME, password="analytical engine")).code == "UNAUTHENTICATED"
