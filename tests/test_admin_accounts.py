"""Lists of accounts, for those who have a role."""

from typing import Any
from uuid import UUID

import pytest

from domain import admin
from domain.pagination import PageRequest
from domain.roles import OPERATOR, Role
from domain.services import Services
from tests.admins import ACCOUNT, ACCOUNTS, act, grant, register_admin
from tests.operations import DELETE_ME
from tests.statements import explain, statements
from tests.users import UNKNOWN_ID, GraphQL, RegisteredUser, register_user


@pytest.fixture
async def adam(services: Services, graphql: GraphQL) -> RegisteredUser:
    return await register_admin(services, graphql, "Adam")


@pytest.fixture
async def people(graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser) -> None:
    """Ada, Adam, and others with emails that begin with other letters than their usernames."""
    for username, email in (
        ("Karn", "barbara@example.com"),
        ("Barbara", "karn@example.com"),
        ("b.liskov", "adele@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"),
    ):
        await register_user(graphql, username, email, "nanoseconds of wire")


async def found(graphql: GraphQL, by: RegisteredUser, **filters: Any) -> list[str]:
    """Return the usernames of all pages, which have two entries each."""
    names: list[str] = []
    after = None
    while True:
        answer = await graphql(ACCOUNTS, by=by, first=2, after=after, **filters)
        assert answer.errors == []
        page = answer.data["accounts"]
        names += [edge["node"]["username"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return names


@pytest.mark.usefixtures("people")
async def test_all_accounts_are_listed_newest_first(graphql: GraphQL, adam: RegisteredUser) -> None:
    names = ["b.liskov", "Barbara", "Karn"]

    assert (await found(graphql, adam))[:3] == names
    assert await found(graphql, adam, search="  ") == await found(graphql, adam)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("ada", ["Ada", "Adam"]),
        ("AD", ["Ada", "Adam", "b.liskov"]),
        # First those whose usernames begin with it.
        ("b", ["b.liskov", "Barbara", "Karn"]),
        ("bar", ["Barbara", "Karn"]),
        ("karn", ["Karn", "Barbara"]),
        ("kam", ["Karn"]),
        ("BARBARA@exa", ["Karn"]),
        ("adele@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", ["b.liskov"]),
        ("adele@xn--b", ["b.liskov"]),
        ("example", []),
        ("%", []),
        ("_", []),
        ("~", []),
        ("\N{SNOWMAN}", []),
        ("\x00", []),
        ("x" * 10_000, []),
    ],
)
async def test_a_search_goes_by_the_beginning_of_a_username_or_an_email(
    graphql: GraphQL, adam: RegisteredUser, search: str, names: list[str]
) -> None:
    assert await found(graphql, adam, search=search) == names


async def test_an_account_is_found_by_its_id(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    assert await found(graphql, adam, search=ada.id) == ["Ada"]
    assert await found(graphql, adam, search=ada.id.upper()) == ["Ada"]
    assert await found(graphql, adam, search=UNKNOWN_ID) == []


async def test_filters_apply_together(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await grant(services, ada, Role.SUPPORT)
    await act(graphql, "disableAccount", ada, by=adam)

    assert await found(graphql, adam, role="ADMIN") == ["Adam"]
    assert await found(graphql, adam, role="SUPPORT", disabled=True) == ["Ada"]
    assert await found(graphql, adam, role="SUPPORT", disabled=False) == []
    assert await found(graphql, adam, disabled=False) == ["Adam"]
    assert await found(graphql, adam, search="ad", disabled=True) == ["Ada"]
    assert await found(graphql, adam, search="ad", role="ADMIN") == ["Adam"]


async def test_a_deleted_account_is_not_listed(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    first = await graphql(ACCOUNTS, by=adam, first=1, search="ad")
    after = first.data["accounts"]["pageInfo"]["endCursor"]
    await graphql(DELETE_ME, by=ada, password=ada.password)

    assert await found(graphql, adam) == ["Adam"]
    assert await found(graphql, adam, search="~") == []
    assert (await graphql(ACCOUNT, by=adam, id=ada.id)).data == {"account": None}
    # The cursor of an account that is gone begins nowhere.
    rest = await graphql(ACCOUNTS, by=adam, search="ad", after=after)
    assert rest.data["accounts"]["edges"] == []


async def test_an_account_has_what_its_owner_sees(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    account = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]

    assert (account["username"], account["email"]) == ("Ada", "ada@example.com")
    assert (account["roles"], account["identities"]) == ([], [])
    assert account["lastSeenAt"]
    assert [session["isCurrent"] for session in account["sessions"]] == [False]
    assert [edge["node"]["kind"] for edge in account["securityEvents"]["edges"]] == ["REGISTERED"]


async def test_a_list_of_accounts_takes_the_same_statements_however_long_it_is(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    document = """query ($first: Int) { accounts(first: $first) { edges { node {
        roles lastSeenAt factors { totp } identities { id }
    } } } }"""
    counts = []
    for first in (1, 2):
        with statements() as seen:
            assert (await graphql(document, by=adam, first=first)).errors == []
        counts.append(len([one for one in seen if one.sql.startswith("SELECT")]))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("filters", "indexes"),
    [
        ({"search": "ada"}, ["username_key", "email_key"]),
        ({"search": "ada@exa"}, ["username_key", "email_key"]),
        ({"role": Role.ADMIN}, ["ix_user_roles_role"]),
        ({"disabled": True}, ["ix_users_disabled"]),
        (
            {"search": "a", "disabled": True},
            ["ix_users_disabled_username", "ix_users_disabled_email"],
        ),
        ({}, ["pk_users"]),
    ],
    ids=["username", "email", "role", "disabled", "disabled by text", "all"],
)
@pytest.mark.parametrize("page", [1, 2])
async def test_every_page_is_read_by_an_index(
    services: Services,
    ada: RegisteredUser,
    adam: RegisteredUser,
    filters: dict[str, Any],
    indexes: list[str],
    page: int,
) -> None:
    request = PageRequest(5, UUID(adam.id) if page == 2 else None)
    with statements() as seen:
        async with services.database.reading() as session:
            await admin.list_accounts(session, services, OPERATOR, request, **filters)
    # SQLite names the index of a constraint after the table.
    lists = [one for one in seen if one.sql.startswith("SELECT users.id")]
    plans = [await explain(services, one) for one in lists if "ORDER BY" in one.sql]

    assert len(plans) == len(indexes) or page == 2
    for plan, index in zip(plans, indexes[-len(plans) :], strict=True):
        assert index in plan or not index.startswith("ix_")
        assert "Index" in plan or "INDEX" in plan
        assert not any(word in plan for word in ("SCAN users'", "Seq Scan", "TEMP B-TREE", "Sort"))
