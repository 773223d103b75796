"""`gatehouse users disable`, `enable` and `end-sessions`: whether the owner can sign in."""

import click

from cli.usage import examples
from cli.users.accounts import name_of
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, change, json_option, print_result, reason_option
from domain import admin
from domain.roles import OPERATOR


@click.command(
    epilog=examples('gatehouse users disable ada@example.com --reason "Sends unwanted mail"')
)
@address_argument
@reason_option()
@json_option
def disable(address: str, reason: str, as_json: bool) -> None:
    """Disable an account.

    ADDRESS is the email, the username or the id of the account. Ends its sessions, and tells the
    user by mail. Nothing signs in to the account until it is enabled.
    """
    account, _ = change(
        address,
        lambda services, user: admin.disable_account(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason
        ),
    )
    print_result(account, f"disabled {name_of(account)}, and ended its sessions", as_json=as_json)


@click.command(epilog=examples("gatehouse users enable ada@example.com"))
@address_argument
@reason_option("Enabled with gatehouse users")
@json_option
def enable(address: str, reason: str, as_json: bool) -> None:
    """Enable a disabled account.

    ADDRESS is the email, the username or the id of the account. Tells the user by mail.
    """
    account, _ = change(
        address,
        lambda services, user: admin.enable_account(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason
        ),
    )
    print_result(account, f"enabled {name_of(account)}", as_json=as_json)


@click.command(
    name="end-sessions",
    epilog=examples("gatehouse users end-sessions ada@example.com"),
)
@address_argument
@reason_option("Ended with gatehouse users")
@json_option
def end_sessions(address: str, reason: str, as_json: bool) -> None:
    """End all sessions of an account.

    ADDRESS is the email, the username or the id of the account. The user signs in again.
    """
    account, ended = change(
        address,
        lambda services, user: admin.end_sessions_of(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason
        ),
    )
    sessions = f"{ended or 'no'} session{'' if ended == 1 else 's'}"
    result = account | {"ended_sessions": ended}
    print_result(result, f"ended {sessions} of {name_of(account)}", as_json=as_json)
