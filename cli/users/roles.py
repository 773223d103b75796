"""`gatehouse users grant` and `revoke`: the roles of users."""

import click

from cli.usage import examples
from cli.users.accounts import name_of
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, change, json_option, print_result, reason_option
from domain import admin
from domain.roles import OPERATOR, Role

role_argument = click.argument(
    "role", metavar="ROLE", type=click.Choice([str(role) for role in Role], case_sensitive=False)
)


@click.command(epilog=examples("gatehouse users grant ada@example.com ADMIN"))
@address_argument
@role_argument
@reason_option("Granted with gatehouse users")
@json_option
def grant(address: str, role: str, reason: str, as_json: bool) -> None:
    """Grant a role to a user.

    ADDRESS is the email, the username or the id of the account. ROLE is ADMIN or SUPPORT.
    """
    account, _ = change(
        address,
        lambda services, user: admin.grant_role(
            services, OPERATOR_DEVICE, OPERATOR, user.id, Role(role), reason=reason
        ),
    )
    print_result(account, f"{name_of(account)} has the role {role}", as_json=as_json)


@click.command(epilog=examples("gatehouse users revoke ada@example.com SUPPORT"))
@address_argument
@role_argument
@reason_option("Revoked with gatehouse users")
@json_option
def revoke(address: str, role: str, reason: str, as_json: bool) -> None:
    """Revoke a role of a user.

    ADDRESS is the email, the username or the id of the account. ROLE is ADMIN or SUPPORT. The last
    administrator stays one.
    """
    account, _ = change(
        address,
        lambda services, user: admin.revoke_role(
            services, OPERATOR_DEVICE, OPERATOR, user.id, Role(role), reason=reason
        ),
    )
    print_result(account, f"{name_of(account)} does not have the role {role}", as_json=as_json)
