"""`gatehouse users delete`: delete an account for its owner."""

from typing import Any

import click

from cli.usage import examples
from cli.users.accounts import look_up, name_of, read_account
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, json_option, print_result, reason_option, run
from domain import admin
from domain.roles import OPERATOR
from domain.services import Services
from settings import load_settings


@click.command(
    epilog=examples(
        "gatehouse users delete ada@example.com",
        'gatehouse users delete ada@example.com --yes --erase --reason "Asked for by mail"',
    )
)
@address_argument
@click.option("--erase", is_flag=True, help="Remove personal data from the security events, too.")
@reason_option(
    "Deleted with gatehouse users", help="Why. Kept in the security events, unless with --erase."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def delete(address: str, erase: bool, reason: str, yes: bool, as_json: bool) -> None:
    """Delete an account with all that belongs to it.

    ADDRESS is the email, the username or the id of the account. It cannot be restored.
    """
    settings = load_settings()

    async def find(services: Services) -> dict[str, Any]:
        return await read_account(services, address)

    account = run(find, settings=settings)
    if not yes and not click.confirm(f"Delete the account {name_of(account)}?", err=True):
        raise SystemExit("gatehouse: nothing was deleted")

    async def work(services: Services) -> None:
        user = await look_up(services, account["id"])
        await admin.delete_account(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason, erase=erase
        )

    run(work, settings=settings)
    result = {"id": account["id"]}
    print_result(result, f"deleted the account {name_of(account)}", as_json=as_json)
