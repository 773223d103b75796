"""`gatehouse users create`: make an account, such as that of the first administrator."""

import sys
from typing import Any, TextIO

import click

from cli.usage import examples
from cli.users.accounts import name_of, read_account
from cli.users.opening import OPERATOR_DEVICE
from cli.users.reset_link import link_of
from cli.users.running import json_option, print_result, run
from domain import admin
from domain.roles import OPERATOR, Role
from domain.services import Services
from settings import load_settings

# More than any password has, and the end of its line.
_MAX_CHARACTERS = 4096


@click.command(
    epilog=examples(
        "gatehouse users create --username Ada --email ada@example.com --verified --admin",
        "gatehouse users create --username Ada --email ada@example.com --reset-link",
        "gatehouse users create --username Ada --email ada@example.com --password-file -",
    )
)
@click.option("--username", metavar="NAME", required=True, help="The username of the account.")
@click.option("--email", metavar="EMAIL", required=True, help="The email of the account.")
@click.option("--verified", is_flag=True, help="The user is known to read mail at this email.")
@click.option("--admin", "is_admin", is_flag=True, help="Grant the role ADMIN.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([str(role) for role in Role], case_sensitive=False),
    help="Grant a role. Can be given more than once.",
)
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.File(encoding="utf-8"),
    help="Read the password from the first line of FILE, or of standard input for -.",
)
@click.option("--reset-link", is_flag=True, help="Set no password, and print a link to set one.")
@json_option
def create(
    username: str,
    email: str,
    verified: bool,
    is_admin: bool,
    roles: tuple[str, ...],
    password_file: TextIO | None,
    reset_link: bool,
    as_json: bool,
) -> None:
    """Create an account, such as that of the first administrator.

    Asks for the password, unless --password-file or --reset-link is given. It is never on the
    command line nor in the environment, which other programs can read. Sends no mail.
    """
    settings = load_settings()
    password = None if reset_link else _password(password_file)
    granted = {Role(role) for role in roles} | ({Role.ADMIN} if is_admin else set())

    async def work(services: Services) -> dict[str, Any]:
        if reset_link:
            services.require_data_keys()
        user = await admin.create_account(
            services,
            OPERATOR_DEVICE,
            OPERATOR,
            username=username,
            email=email,
            password=password,
            email_verified=verified,
            roles=sorted(granted),
        )
        account = await read_account(services, str(user.id))
        return account | (await link_of(services, settings, user.id) if reset_link else {})

    account = run(work, settings=settings)
    roles_said = f" with {' and '.join(account['roles'])}" if account["roles"] else ""
    print_result(account, f"created {name_of(account)}{roles_said}", as_json=as_json)
    if reset_link and not as_json:
        print(account["url"])


def _password(file: TextIO | None) -> str:
    if file is None:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "Use --password-file or --reset-link without a terminal",
                click.get_current_context(),
            )
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    try:
        return file.readline(_MAX_CHARACTERS).rstrip("\r\n")
    except UnicodeError:
        raise SystemExit("gatehouse: the password is not UTF-8") from None
