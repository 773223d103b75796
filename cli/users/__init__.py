"""`gatehouse users`: administer accounts from the machine of the server."""

import click

from cli.usage import examples
from cli.users.import_users import import_users
from cli.users.remove_factors import remove_factors


@click.group(
    commands=(import_users, remove_factors),
    no_args_is_help=False,
    epilog=examples(
        "gatehouse users import users.csv",
        "gatehouse users remove-factors ada@example.com",
    ),
)
def users() -> None:
    """Administer accounts: those of others, from the machine of the server."""


__all__ = ["users"]
