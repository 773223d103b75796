from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from db.models import User
from domain.services import Services
from tests.operations import ME
from tests.users import IN_A_YEAR, GraphQL, RegisteredUser


async def test_me_is_who_the_token_was_issued_to(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    answer = await graphql(ME, by=grace)

    me = answer.data["me"]
    assert me["id"] == grace.id
    assert me["username"] == "Grace"
    assert me["email"] == "grace@example.com"
    assert datetime.now(UTC) - datetime.fromisoformat(me["createdAt"]) < timedelta(minutes=1)


async def test_nobody_is_null_and_siblings_survive(graphql: GraphQL) -> None:
    answer = await graphql("{ me { id } __typename }")

    assert answer.data == {"me": None, "__typename": "Query"}
    assert answer.code == "UNAUTHENTICATED"
    assert answer.error["path"] == ["me"]


async def test_an_expired_token_says_so(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    expired = replace(services.access_tokens, lifetime=timedelta(seconds=-1)).issue(
        services.access_tokens.read(ada.token).caller, not_after=IN_A_YEAR
    )

    answer = await graphql(ME, by=expired.value)

    assert answer.data == {"me": None}
    assert answer.code == "TOKEN_EXPIRED"


async def test_the_token_of_a_deleted_user_is_refused_at_once(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing() as session:
        await session.execute(delete(User))

    read = await graphql(ME, by=ada)
    written = await graphql('mutation { updateMe(input: { username: "Countess" }) { id } }', by=ada)
    replaced = await graphql(
        'mutation { changePassword(currentPassword: "x", newPassword: "difference engine") { expiresIn } }',
        by=ada,
    )

    assert read.code == written.code == replaced.code == "UNAUTHENTICATED"
