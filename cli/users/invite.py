"""`gatehouse users invite`: invite someone to create an account."""

from datetime import datetime

import click

from cli.usage import examples
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import json_option, print_result, run
from domain import admin
from domain.roles import OPERATOR
from domain.services import Services


@click.command(
    epilog=examples(
        "gatehouse users invite ada@example.com",
        "gatehouse users invite --revoke ada@example.com",
    )
)
@click.argument("email", metavar="EMAIL")
@click.option("--revoke", is_flag=True, help="End the invitation to EMAIL.")
@json_option
def invite(email: str, revoke: bool, as_json: bool) -> None:
    """Invite someone by mail to create an account with EMAIL.

    Ends an earlier invitation to the same email. The link in the mail works once. Needs a mail
    server, except to revoke.
    """
    if revoke:
        was_there = run(lambda services: _revoke(services, email))
        said = f"{email} is not invited any more" if was_there else f"{email} was not invited"
        print_result({"email": email, "was_invited": was_there}, said, as_json=as_json)
        return
    expires_at = run(lambda services: _invite(services, email))
    result = {"email": email, "expires_at": expires_at.isoformat()}
    print_result(result, f"invited {email}", as_json=as_json)


async def _invite(services: Services, email: str) -> datetime:
    invitation = await admin.invite(services, OPERATOR_DEVICE, OPERATOR, email=email)
    return invitation.expires_at


async def _revoke(services: Services, email: str) -> bool:
    return await admin.revoke_invitation(services, OPERATOR, email=email)
