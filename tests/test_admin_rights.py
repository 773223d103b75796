"""Who may do what to accounts of others."""

import asyncio
import itertools
from dataclasses import dataclass
from uuid import UUID

import pytest
from fastapi import FastAPI
from graphql import GraphQLSchema, build_schema, get_named_type
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as examples
from jose import jwt

from domain import admin
from domain.admin.role_changes import EMAIL_NOT_VERIFIED
from domain.errors import DomainError
from domain.roles import OPERATOR, PERMISSIONS, Permission, Role, roles_of
from domain.services import Services
from settings import Settings
from tests.admins import ACCOUNT, ACCOUNTS, ARGUMENTS, act, grant, impersonate, register_admin
from tests.authenticator_apps import Clock, set_up, signed_in_with
from tests.conftest import settings_for
from tests.mail_proofs import CODE, DATA_KEY, mailed
from tests.operations import DELETE_ME, ME, REFRESH, VERIFY_EMAIL
from tests.paths import ROOT
from tests.sessions import age_proofs, log_in
from tests.users import THIS_DEVICE, UNKNOWN_ID, GraphQL, RegisteredUser

#: What each mutation takes. The table is complete, so a new one fails until it is here.
PERMITTED_BY = {
    "disableAccount": Permission.DISABLE_ACCOUNTS,
    "enableAccount": Permission.DISABLE_ACCOUNTS,
    "requirePasswordReset": Permission.REQUIRE_PASSWORD_RESETS,
    "removeSecondFactors": Permission.REMOVE_SECOND_FACTORS,
    "endSessionsOf": Permission.END_SESSIONS,
    "grantRole": Permission.GRANT_ROLES,
    "revokeRole": Permission.GRANT_ROLES,
    "impersonate": Permission.IMPERSONATE,
    "correctAccount": Permission.CORRECT_ACCOUNTS,
    "deleteAccount": Permission.DELETE_ACCOUNTS,
    "exportAccount": Permission.EXPORT_ACCOUNTS,
}
#: On no account yet: see `test_only_those_who_may_invite_do`.
INVITATIONS = {"invite", "revokeInvitation"}
QUERIES = {"account": ACCOUNT, "accounts": ACCOUNTS}

#: What SUPPORT may do, written a second time.
OF_SUPPORT = {
    "disableAccount",
    "enableAccount",
    "requirePasswordReset",
    "removeSecondFactors",
    "endSessionsOf",
}
#: What takes a recent proof.
PROVED = set(PERMITTED_BY) - OF_SUPPORT

numbers = itertools.count()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)


@dataclass(frozen=True)
class Staff:
    """Users of each kind, and Ada, who has no role."""

    nobody: None
    user: RegisteredUser
    support: RegisteredUser
    admin: RegisteredUser
    #: The access token of a session in which the administrator acts in place of a user.
    impersonator: str
    ada: RegisteredUser


@pytest.fixture
async def staff(
    app: FastAPI,
    services: Services,
    graphql: GraphQL,
    ada: RegisteredUser,
    grace: RegisteredUser,
) -> Staff:
    # Without it, an administrator could grant her no role.
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed(app, CODE, ada.email))
    support = await register_admin(services, graphql, "Sue", Role.SUPPORT)
    admin = await register_admin(services, graphql, "Adam")
    token = await impersonate(graphql, grace, by=admin)
    return Staff(None, grace, support, admin, token, ada)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())


def test_every_field_for_staff_is_in_the_table(schema: GraphQLSchema) -> None:
    staffs = {"Account", "AccountConnection"}
    found = {
        name: kind
        for kind in (schema.query_type, schema.mutation_type)
        if kind
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in staffs or "For ADMIN" in (field.description or "")
    }

    assert set(found) == {*PERMITTED_BY, *QUERIES, *INVITATIONS}
    assert set(ARGUMENTS) == set(PERMITTED_BY)


def test_an_account_is_reached_through_the_fields_for_staff_alone(schema: GraphQLSchema) -> None:
    reaching = {
        f"{type.name}.{name}"
        for type in schema.type_map.values()
        for name, field in getattr(type, "fields", {}).items()
        if get_named_type(field.type).name == "Account"
    }

    returning = {"disableAccount", "enableAccount", "requirePasswordReset", "removeSecondFactors"}
    returning |= {"grantRole", "revokeRole", "correctAccount"}
    assert reaching == {"Query.account", "AccountEdge.node"} | {f"Mutation.{n}" for n in returning}


async def outcomes(
    graphql: GraphQL, on: RegisteredUser | str, by: RegisteredUser | str | None
) -> dict[str, str | None]:
    """Send every mutation, and return the code of each, or None for those that did something."""
    found: dict[str, str | None] = {}
    for mutation in PERMITTED_BY:
        answer = await act(graphql, mutation, on, by=by)
        found[mutation] = answer.code if answer.errors else None
    return found


@pytest.mark.parametrize(
    ("who", "code"),
    [("nobody", "UNAUTHENTICATED"), ("user", "FORBIDDEN"), ("impersonator", "FORBIDDEN")],
)
async def test_nobody_else_reads_or_changes_an_account(
    graphql: GraphQL, staff: Staff, who: str, code: str
) -> None:
    by = getattr(staff, who)
    read = [await graphql(query, by=by, id=staff.ada.id) for query in QUERIES.values()]
    changed = await outcomes(graphql, staff.ada, by)

    assert [answer.code for answer in read] == [code, code]
    assert changed == dict.fromkeys(PERMITTED_BY, code)
    assert (await graphql(ME, by=staff.ada)).data["me"]["username"] == "Ada"


async def test_support_does_what_the_table_says_to_users_without_a_role(
    graphql: GraphQL, staff: Staff
) -> None:
    read = [await graphql(query, by=staff.support, id=staff.ada.id) for query in QUERIES.values()]
    of_user = await outcomes(graphql, staff.ada, staff.support)
    of_staff = await outcomes(graphql, staff.admin, staff.support)

    assert [answer.errors for answer in read] == [[], []]
    assert of_user == {
        mutation: None if mutation in OF_SUPPORT else "FORBIDDEN" for mutation in PERMITTED_BY
    }
    assert of_staff == dict.fromkeys(PERMITTED_BY, "FORBIDDEN")


async def test_an_administrator_does_everything(graphql: GraphQL, staff: Staff) -> None:
    read = [await graphql(query, by=staff.admin, id=staff.ada.id) for query in QUERIES.values()]
    unknown = await outcomes(graphql, UNKNOWN_ID, staff.admin)
    # Disabled accounts are neither granted roles nor impersonated, and the last two are gone.
    order = ["disableAccount", "enableAccount", "grantRole", "revokeRole", *PERMITTED_BY]
    answers = {
        mutation: await act(graphql, mutation, staff.ada, by=staff.admin)
        for mutation in dict.fromkeys(order)
        if mutation != "deleteAccount"
    }
    deleted = await act(graphql, "deleteAccount", staff.ada, by=staff.admin)

    assert [answer.errors for answer in read] == [[], []]
    assert unknown == dict.fromkeys(PERMITTED_BY, "NOT_FOUND")
    assert [mutation for mutation, answer in answers.items() if answer.errors] == []
    assert deleted.errors == []


async def test_an_administrator_impersonates_nobody_who_has_a_role(
    graphql: GraphQL, staff: Staff
) -> None:
    assert (await act(graphql, "impersonate", staff.support, by=staff.admin)).code == "FORBIDDEN"


async def test_an_unverified_email_gets_no_role_from_an_administrator(
    graphql: GraphQL, staff: Staff
) -> None:
    answer = await act(graphql, "grantRole", staff.user, by=staff.admin)

    assert (answer.code, answer.error["message"]) == ("INVALID_INPUT", EMAIL_NOT_VERIFIED)
    assert (await graphql("{ me { roles } }", by=staff.user)).data["me"]["roles"] == []


async def test_what_support_may_not_do_takes_a_recent_proof(
    services: Services, graphql: GraphQL, staff: Staff
) -> None:
    await age_proofs(services)
    by_user = await outcomes(graphql, staff.ada, staff.user)
    by_admin = await outcomes(graphql, staff.ada, staff.admin)

    assert by_admin == {
        mutation: "REAUTHENTICATION_REQUIRED" if mutation in PROVED else None
        for mutation in PERMITTED_BY
    }
    assert by_user == dict.fromkeys(PERMITTED_BY, "FORBIDDEN")


def test_the_table_of_permissions_says_the_same() -> None:
    of_support = PERMISSIONS[Role.SUPPORT]

    assert {m for m, needed in PERMITTED_BY.items() if needed in of_support} == OF_SUPPORT
    assert PERMISSIONS[Role.ADMIN] == set(Permission)


async def new_target(services: Services, role: Role | None) -> str:
    """Return the id of a new user, so that what was done to one does not matter to the next."""
    name = f"Target{next(numbers)}"
    user = await admin.create_account(
        services,
        THIS_DEVICE,
        OPERATOR,
        username=name,
        email=f"{name}@example.com",
        password="analytical engine",
        email_verified=True,
        roles=[role] if role else [],
    )
    return str(user.id)


@pytest.mark.any_database
@examples(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    who=strategies.sampled_from(["nobody", "user", "support", "admin", "impersonator"]),
    mutation=strategies.sampled_from(list(PERMITTED_BY)),
    role=strategies.sampled_from([None, *Role]),
)
async def test_rights_are_those_of_the_table(
    services: Services,
    graphql: GraphQL,
    staff: Staff,
    who: str,
    mutation: str,
    role: Role | None,
) -> None:
    target = await new_target(services, role)
    username = f'input: {{ username: "Corrected{next(numbers)}" }}, reason: "a reason"'
    arguments = username if mutation == "correctAccount" else None
    answer = await act(graphql, mutation, target, by=getattr(staff, who), arguments=arguments)

    permitted = {"support": PERMISSIONS[Role.SUPPORT], "admin": PERMISSIONS[Role.ADMIN]}
    needed = {PERMITTED_BY[mutation]} | ({Permission.MANAGE_STAFF} if role else set())
    may = needed <= permitted.get(who, frozenset()) and not (role and mutation == "impersonate")
    code = "UNAUTHENTICATED" if who == "nobody" else "FORBIDDEN"
    assert answer.errors == [] if may else answer.code == code


async def test_a_revoked_role_permits_nothing_from_the_next_request_on(
    services: Services, graphql: GraphQL, staff: Staff
) -> None:
    before = await graphql(ACCOUNTS, by=staff.support)
    id = UUID(staff.support.id)
    await admin.revoke_role(services, THIS_DEVICE, OPERATOR, id, Role.SUPPORT, reason="has left")
    after = await graphql(ACCOUNTS, by=staff.support)

    assert before.errors == []
    assert after.code == "FORBIDDEN"
    # The claim of the token is as it was: it is for other services.
    assert services.access_tokens.read(staff.support.token).caller.user_id == id


async def test_a_session_that_has_ended_permits_nothing(graphql: GraphQL, staff: Staff) -> None:
    await act(graphql, "endSessionsOf", staff.support, by=staff.admin)

    assert (await graphql(ACCOUNTS, by=staff.support)).code == "UNAUTHENTICATED"


async def test_the_roles_are_those_that_the_user_has_now(graphql: GraphQL, staff: Staff) -> None:
    await act(graphql, "grantRole", staff.ada, by=staff.admin)
    await act(
        graphql, "grantRole", staff.ada, by=staff.admin, arguments='role: ADMIN, reason: "a reason"'
    )
    answer = await graphql("{ me { roles } }", by=staff.ada)

    assert answer.data["me"]["roles"] == ["ADMIN", "SUPPORT"]
    assert (await graphql("{ me { roles } }", by=staff.user)).data["me"]["roles"] == []


async def test_users_read_what_their_roles_permit(graphql: GraphQL, staff: Staff) -> None:
    answers = [
        await graphql("{ me { permissions } }", by=user)
        for user in (staff.admin, staff.support, staff.ada)
    ]
    found = [answer.data["me"]["permissions"] for answer in answers]

    assert found[0] == list(Permission)
    assert set(found[1]) == PERMISSIONS[Role.SUPPORT]
    assert found[2] == []


async def test_access_tokens_say_the_roles_to_other_services(
    services: Services, graphql: GraphQL, staff: Staff
) -> None:
    users = [await log_in(graphql, user) for user in (staff.admin, staff.support, staff.ada)]
    await act(graphql, "grantRole", staff.ada, by=staff.admin)
    refreshed = await graphql(REFRESH, token=users[2].refresh_token)
    tokens = [user.token for user in users] + [refreshed.data["refresh"]["accessToken"]]

    claims = [jwt.get_unverified_claims(token) for token in tokens]
    assert [one.get("roles") for one in claims] == [["ADMIN"], ["SUPPORT"], None, ["SUPPORT"]]


async def administrators(services: Services, *users: RegisteredUser) -> int:
    async with services.database.reading() as session:
        found = await roles_of(session, [UUID(user.id) for user in users])
    return sum(Role.ADMIN in roles for roles in found.values())


async def revoke(services: Services, by: RegisteredUser, on: RegisteredUser) -> str:
    caller = services.access_tokens.read(by.token).caller
    try:
        await admin.revoke_role(
            services, THIS_DEVICE, caller, UUID(on.id), Role.ADMIN, reason="has left"
        )
    except DomainError as error:
        return error.code
    return "revoked"


async def test_of_two_who_revoke_each_other_one_stays(
    services: Services, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    for _ in range(5):
        await grant(services, ada)
        await grant(services, grace)
        outcomes = await asyncio.gather(revoke(services, ada, grace), revoke(services, grace, ada))

        assert sorted(outcomes) == ["FORBIDDEN", "revoked"]
        assert await administrators(services, ada, grace) == 1


async def test_of_two_who_revoke_themselves_one_stays(
    services: Services, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    for _ in range(5):
        await grant(services, ada)
        await grant(services, grace)
        outcomes = await asyncio.gather(revoke(services, ada, ada), revoke(services, grace, grace))

        assert sorted(outcomes) == ["FORBIDDEN", "revoked"]
        assert await administrators(services, ada, grace) == 1


async def test_of_two_who_disable_each_other_one_can_sign_in(
    services: Services, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await grant(services, ada)
    await grant(services, grace)
    answers = await asyncio.gather(
        act(graphql, "disableAccount", ada, by=grace), act(graphql, "disableAccount", grace, by=ada)
    )

    assert sum(answer.errors == [] for answer in answers) == 1
    states = [await graphql(ME, by=user) for user in (ada, grace)]
    assert sum(state.errors == [] for state in states) == 1


@pytest.mark.parametrize(
    ("mutation", "arguments"),
    [
        ("disableAccount", None),
        ("deleteAccount", None),
        ("revokeRole", 'role: ADMIN, reason: "a reason"'),
    ],
)
async def test_the_last_administrator_stays_one(
    services: Services, graphql: GraphQL, ada: RegisteredUser, mutation: str, arguments: str | None
) -> None:
    await grant(services, ada)
    answer = await act(graphql, mutation, ada, by=ada, arguments=arguments)
    own = await graphql(DELETE_ME, by=ada, password=ada.password)

    assert answer.code == own.code == "FORBIDDEN"
    assert "last administrator" in answer.error["message"]
    assert (await graphql(ACCOUNTS, by=ada)).errors == []


async def test_a_disabled_administrator_is_no_other_one(
    services: Services, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await grant(services, ada)
    await grant(services, grace)
    await act(graphql, "disableAccount", grace, by=ada)

    assert await revoke(services, ada, ada) == "FORBIDDEN"


class TestSecondFactor:
    """REQUIRE_SECOND_FACTOR=admins."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return settings_for(
            database_url,
            data_key=DATA_KEY,
            environment="production",
            require_second_factor="admins",
        )

    async def test_a_role_is_of_no_use_without_a_second_factor(
        self, services: Services, graphql: GraphQL, ada: RegisteredUser, clock: Clock
    ) -> None:
        await grant(services, ada)
        before = await graphql(ACCOUNTS, by=ada)
        needed = await graphql("{ me { needsSecondFactor } }", by=ada)
        phone = await set_up(graphql, ada, clock)
        with_both = await signed_in_with(graphql, ada, phone.code())

        assert before.code == "SECOND_FACTOR_SETUP_REQUIRED"
        assert needed.data["me"]["needsSecondFactor"]
        assert (await graphql(ACCOUNTS, by=with_both)).errors == []

    async def test_users_without_a_role_need_none(
        self, graphql: GraphQL, ada: RegisteredUser
    ) -> None:
        needed = await graphql("{ me { needsSecondFactor } }", by=ada)

        assert not needed.data["me"]["needsSecondFactor"]
