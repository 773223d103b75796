"""`gatehouse users export`: all data of a user."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click

from cli.usage import examples
from cli.users.accounts import look_up
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, reason_option, run
from domain import admin
from domain.roles import OPERATOR
from domain.services import Services


@click.command(
    epilog=examples(
        "gatehouse users export ada@example.com",
        "gatehouse users export ada@example.com --out ada.json",
    )
)
@address_argument
@reason_option("Exported with gatehouse users")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a new file, which only you can read.",
)
def export(address: str, reason: str, out: Path | None) -> None:
    """Export all data of a user as JSON, without secrets.

    ADDRESS is the email, the username or the id of the account. The export is on record in the
    security events of the account.
    """

    async def work(services: Services) -> dict[str, Any]:
        user = await look_up(services, address)
        return await admin.export_account(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason
        )

    if out is None:
        print(_text(run(work)))
        return
    if out.exists():
        raise SystemExit(f"gatehouse: {out} exists already")
    text = _text(run(work))
    with _new_file(out) as file:
        print(text, file=file)
    print(f"Gatehouse: wrote {out}.")


def _text(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _new_file(path: Path) -> TextIO:
    """Open a new file, which only the current user can read. Raises FileExistsError."""
    return open(path, "x", encoding="utf-8", opener=partial(os.open, mode=0o600))
