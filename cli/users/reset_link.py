"""`gatehouse users reset-link`: help a user to a new password without mail."""

from typing import Any
from uuid import UUID

import click

from cli.usage import examples
from cli.users.accounts import look_up
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, json_option, print_json, run
from domain import admin
from domain.roles import OPERATOR
from domain.services import Services
from settings import Settings, load_settings


@click.command(
    name="reset-link",
    epilog=examples("gatehouse users reset-link ada@example.com"),
)
@address_argument
@json_option
def reset_link(address: str, as_json: bool) -> None:
    """Print a link with which the user sets a new password.

    ADDRESS is the email, the username or the id of the account. The link works once, for an hour,
    like that of a mail. It lets its reader sign in as the user, so give it to the user alone.

    Needs DATA_KEY, and no mail server.
    """
    settings = load_settings()

    async def work(services: Services) -> dict[str, Any]:
        user = await look_up(services, address)
        return {"id": str(user.id)} | await link_of(services, settings, user.id)

    link = run(work, settings=settings)
    if as_json:
        print_json(link)
    else:
        print(link["url"])


async def link_of(services: Services, settings: Settings, account_id: UUID) -> dict[str, Any]:
    """Make a link, in the types of JSON. Raises NotConfigured or NotFound."""
    made = await admin.make_reset_link(services, OPERATOR_DEVICE, OPERATOR, account_id)
    # The secret is in the fragment, which browsers send to no server.
    url = f"{settings.links_url}/reset-password#token={made.token}"
    return {"url": url, "expires_at": made.expires_at.isoformat()}
