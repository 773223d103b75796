"""Lengths are judged first: a text that is too long is never read through."""

import time
from collections.abc import Callable

import pytest

from domain import emails, passwords, tickets, usernames
from domain.errors import InvalidInput
from domain.pagination import PageRequest
from domain.sessions.refresh_tokens import RefreshToken
from graphql_schema.ids import NIL, as_uuid
from tests.documents import seconds_of
from tests.operations import CREATE_POST, LOGIN, REFRESH, REGISTER, UPDATE_ME
from tests.users import GraphQL, RegisteredUser

# Under a megabyte, which a request may have.
SPACES, LETTERS, DIGITS = " " * 900_000, "x" * 900_000, "0" * 900_000

# Looking through one of them takes from 3 milliseconds to 100.
MAX_SECONDS = 0.002


def page_after(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        PageRequest.of(1, cursor)


@pytest.mark.parametrize(
    "work",
    [
        lambda: usernames.problems(LETTERS),
        lambda: usernames.key(LETTERS),
        lambda: emails.parse(f"{LETTERS}@example.com"),
        lambda: emails.parse(SPACES),
        lambda: passwords.problems(SPACES),
        lambda: passwords.problems("analytical engine", username=LETTERS, email=LETTERS),
        lambda: RefreshToken.parse(LETTERS),
        lambda: tickets.is_token(SPACES),
        lambda: as_uuid(DIGITS),
        lambda: as_uuid("{" * 900_000),
        lambda: page_after(LETTERS),
        lambda: page_after("=" * 900_000),
    ],
)
def test_what_is_too_long_is_not_read_through(work: Callable[[], object]) -> None:
    assert seconds_of(work) < MAX_SECONDS


@pytest.mark.parametrize(
    ("title", "content"), [(SPACES, "x"), ("x", SPACES), (LETTERS, "x"), ("x", LETTERS)]
)
async def test_a_post_that_is_too_long_costs_no_more_than_its_request(
    graphql: GraphQL, ada: RegisteredUser, title: str, content: str
) -> None:
    async def seconds(input: dict[str, str]) -> float:
        started = time.thread_time()
        answer = await graphql(CREATE_POST, by=ada, input=input)
        assert answer.code == "INVALID_INPUT"
        return time.thread_time() - started

    took = min([await seconds({"title": title, "content": content}) for _ in range(3)])

    assert took < 0.05


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (LOGIN, {"username": LETTERS, "password": "x"}),
        (LOGIN, {"username": f"{LETTERS}@example.com", "password": "x"}),
        (LOGIN, {"username": "Ada", "password": SPACES}),
        (REGISTER, {"username": LETTERS, "email": "", "password": "analytical engine"}),
        (REGISTER, {"username": "", "email": LETTERS, "password": "analytical engine"}),
        (REFRESH, {"token": LETTERS}),
    ],
)
async def test_long_credentials_are_wrong_and_nothing_else(
    graphql: GraphQL, document: str, variables: dict[str, str]
) -> None:
    answer = await graphql(document, **variables)

    assert answer.code in ("INVALID_CREDENTIALS", "INVALID_INPUT", "UNAUTHENTICATED")


async def test_a_long_picture_is_refused(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(UPDATE_ME, by=ada, input={"imageFile": LETTERS})

    assert list(answer.fields) == ["imageFile"]


def test_ids_of_other_forms_are_not_found() -> None:
    id = "01890a5d-ac96-774b-bcce-b302099a8057"

    assert str(as_uuid(id)) == id
    for other in (id.upper(), id.replace("-", ""), f"{{{id}}}", f"urn:uuid:{id}", "", "x" * 36):
        assert as_uuid(other) == NIL
