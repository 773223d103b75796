"""`gatehouse users`: administer accounts from the machine of the server."""

import click

from cli.usage import examples
from cli.users.access import disable, enable, end_sessions
from cli.users.create import create
from cli.users.delete import delete
from cli.users.export import export
from cli.users.find import find, show
from cli.users.import_users import import_users
from cli.users.invite import invite
from cli.users.remove_factors import remove_factors
from cli.users.reset_link import reset_link
from cli.users.roles import grant, revoke


@click.group(
    commands=(
        create,
        delete,
        disable,
        enable,
        end_sessions,
        export,
        find,
        grant,
        import_users,
        invite,
        remove_factors,
        reset_link,
        revoke,
        show,
    ),
    no_args_is_help=False,
    epilog=examples(
        "gatehouse users create --username Ada --email ada@example.com --verified --admin",
        "gatehouse users find ada",
        "gatehouse users import users.csv",
    ),
)
def users() -> None:
    """Administer accounts, and import those of another system.

    Everything is recorded in the security events of the account, with the device gatehouse.
    """


__all__ = ["users"]
