"""The `gatehouse` command: its subcommands, and how errors are reported."""

import sys

import click

from cli.check import check
from cli.config import config
from cli.health import health
from cli.keys import keys
from cli.mail import mail
from cli.migrate import migrate
from cli.prune import prune
from cli.schema import schema
from cli.secret import secret
from cli.serve import serve
from cli.tune import tune
from cli.usage import examples
from cli.users import users
from cli.webhooks import webhooks
from server.exit import exit_in_a_line

COMPLETION = """
Shell completion, for bash (or use zsh_source, fish_source):
  eval "$(_GATEHOUSE_COMPLETE=bash_source gatehouse)"
"""

# As shells report a command that SIGINT has stopped.
INTERRUPTED = 130


@click.group(
    commands=(
        check,
        config,
        health,
        keys,
        mail,
        migrate,
        prune,
        schema,
        secret,
        serve,
        tune,
        users,
        webhooks,
    ),
    # Without a command, the error below and not the whole help.
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "gatehouse secret",
        "gatehouse check",
        "gatehouse serve --workers 4",
        "gatehouse keys --help",
    )
    + f"\n\n\b{COMPLETION}",
)
@click.version_option(package_name="gatehouse", message="%(prog)s %(version)s")
def gatehouse() -> None:
    """Gatehouse, a GraphQL accounts API.

    Settings are read from the environment and from .env.
    """


def main() -> None:
    """Run the command line. A usage error is one line on standard error, with exit status 2."""
    try:
        with exit_in_a_line():
            gatehouse.main(prog_name="gatehouse", standalone_mode=False)
    except click.ClickException as error:
        print(_one_line(error), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except click.Abort:
        raise SystemExit(INTERRUPTED) from None


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split()).removesuffix(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "gatehouse"
    return f"gatehouse: {message}. Try `{path} --help`."
