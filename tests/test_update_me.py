import pytest

from domain.services import Services
from tests.operations import LOGIN, ME, UPDATE_ME, USER
from tests.sessions import age_proofs
from tests.users import GraphQL, RegisteredUser


async def test_what_is_left_out_stays_as_it_is(graphql: GraphQL, ada: RegisteredUser) -> None:
    await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})
    answer = await graphql(UPDATE_ME, by=ada, input={"username": "Countess"})

    assert answer.data["updateMe"] == {
        "id": ada.id,
        "username": "Countess",
        "email": ada.email,
        "imageFile": "ada.png",
    }
    assert (await graphql(ME, by=ada)).data["me"]["username"] == "Countess"


async def test_the_old_username_is_free_again(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await graphql(UPDATE_ME, by=ada, input={"username": "Countess"})
    answer = await graphql(UPDATE_ME, by=grace, input={"username": "ada"})

    assert answer.data["updateMe"]["username"] == "ada"


async def test_one_may_change_the_case_of_ones_own_name(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(UPDATE_ME, by=ada, input={"username": "ADA"})

    assert answer.data["updateMe"]["username"] == "ADA"


async def test_null_takes_the_picture_away(graphql: GraphQL, ada: RegisteredUser) -> None:
    await graphql(UPDATE_ME, by=ada, input={"imageFile": "https://example.com/ada.png"})
    answer = await graphql(UPDATE_ME, by=ada, input={"imageFile": None})

    assert answer.data["updateMe"]["imageFile"] is None


@pytest.mark.parametrize(
    "image_file",
    [
        "",
        "javascript:alert(1)",
        "../ada.png",
        "/ada.png",
        "//evil.example",
        "a b.png",
        ".hidden",
        "https://example.com/\x00",
        "data:text/html,x",
        "a" * 2049,
    ],
)
async def test_a_picture_is_a_file_name_or_an_address(
    graphql: GraphQL, ada: RegisteredUser, image_file: str
) -> None:
    answer = await graphql(UPDATE_ME, by=ada, input={"imageFile": image_file})

    assert answer.code == "INVALID_INPUT"
    assert list(answer.fields) == ["imageFile"]


async def test_a_new_email_needs_the_current_password(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    await age_proofs(services)
    without = await graphql(UPDATE_ME, by=ada, input={"email": "new@example.com"})
    wrong = await graphql(
        UPDATE_ME,
        by=ada,
        input={"email": "new@example.com", "currentPassword": "difference engine"},
    )
    right = await graphql(
        UPDATE_ME, by=ada, input={"email": "New@example.com", "currentPassword": ada.password}
    )

    assert without.error["extensions"] == {
        "code": "REAUTHENTICATION_REQUIRED",
        "methods": ["PASSWORD"],
    }
    assert wrong.code == "INVALID_CREDENTIALS"
    assert list(wrong.fields) == ["currentPassword"]
    assert right.data["updateMe"]["email"] == "new@example.com"
    login = await graphql(LOGIN, username="new@example.com", password=ada.password)
    assert login.errors == []


async def test_the_email_one_has_already_needs_no_password(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(
        UPDATE_ME, by=ada, input={"email": "ADA@example.com", "username": "Byron"}
    )

    assert answer.data["updateMe"]["username"] == "Byron"


async def test_someone_elses_name_or_email_is_taken_and_nothing_changes(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    name = await graphql(UPDATE_ME, by=ada, input={"username": "GRACE", "imageFile": "ada.png"})
    email = await graphql(
        UPDATE_ME, by=ada, input={"email": grace.email, "currentPassword": ada.password}
    )

    assert name.code == "USERNAME_TAKEN"
    assert email.code == "EMAIL_TAKEN"
    assert (await graphql(ME, by=ada)).data["me"]["imageFile"] is None


async def test_a_bad_name_or_email_is_named(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(UPDATE_ME, by=ada, input={"username": "-", "email": "-"})

    assert answer.code == "INVALID_INPUT"
    assert sorted(answer.fields) == ["email", "username"]


async def test_null_is_no_username(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(UPDATE_ME, by=ada, input={"username": None})

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"


async def test_nobody_can_update_nothing(graphql: GraphQL) -> None:
    answer = await graphql(UPDATE_ME, input={"username": "Countess"})

    assert answer.code == "UNAUTHENTICATED"


async def test_a_mutation_answers_with_the_user_as_others_see_them(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    selected = (
        "publicUser { __typename id username imageFile createdAt posts { edges { cursor } } }"
    )
    updated = await graphql(
        f'mutation {{ updateMe(input: {{ username: "Lovelace" }}) {{ {selected} }} }}', by=ada
    )
    user = await graphql(USER, id=ada.id)

    public = updated.data["updateMe"]["publicUser"]
    assert public.pop("posts") == {"edges": []}
    assert public == user.data["user"]
    assert public["username"] == "Lovelace"
