"""`gatehouse users find` and `show`: read accounts."""

from collections.abc import Collection
from typing import Any

import click

from cli.usage import WholeNumber, examples
from cli.users.accounts import described, look_up
from cli.users.running import address_argument, json_option, print_json, run
from domain import admin, sessions
from domain.accounts.export import data_of
from domain.pagination import MAX_PAGE_SIZE, PageRequest, cursor
from domain.roles import OPERATOR, Role
from domain.services import Services

# Of each list.
_MAX_SHOWN = 10


@click.command(
    epilog=examples(
        "gatehouse users find ada",
        "gatehouse users find --role ADMIN",
        "gatehouse users find --disabled --json",
    )
)
@click.argument("search", metavar="[TEXT]", required=False)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role], case_sensitive=False),
    help="Only accounts with this role.",
)
@click.option("--disabled/--enabled", default=None, help="Only disabled accounts, or only others.")
@click.option(
    "--first",
    type=WholeNumber(1, MAX_PAGE_SIZE),
    default=20,
    show_default=True,
    help="How many accounts to list.",
)
@click.option("--after", metavar="CURSOR", help="Continue a list.")
@json_option
def find(
    search: str | None,
    role: str | None,
    disabled: bool | None,
    first: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List accounts.

    TEXT is what the username or the email begins with, or an id. Without it, the newest accounts
    come first.
    """

    async def work(services: Services) -> dict[str, Any]:
        request = PageRequest.of(first, after)
        async with services.database.reading() as session:
            page = await admin.list_accounts(
                session,
                services,
                OPERATOR,
                request,
                search=search,
                role=Role(role) if role else None,
                disabled=disabled,
            )
            accounts = await described(session, page.rows)
        return {"accounts": accounts, "next": cursor(page.rows[-1].id) if page.has_next else None}

    found = run(work)
    if as_json:
        print_json(found)
        return
    for account in found["accounts"]:
        print("  ".join(_columns(account)))
    if found["next"]:
        print(f"\nMore: --after {found['next']}")


@click.command(epilog=examples("gatehouse users show Ada", "gatehouse users show --json Ada"))
@address_argument
@json_option
def show(address: str, as_json: bool) -> None:
    """Show an account.

    ADDRESS is the email, the username or the id of the account. Shows its roles, its ways to sign
    in, its active sessions and its latest security events, and no secrets.
    """

    async def work(services: Services) -> dict[str, Any]:
        user = await look_up(services, address)
        async with services.database.reading() as session:
            [account] = await described(session, [user])
            data = await data_of(session, user.id)
            active = {str(one.id) for one in await sessions.active(session, user.id)}
        return _shown(account, data, active)

    account = run(work)
    if as_json:
        print_json(account)
    else:
        print("\n".join(_lines(account)))


def _columns(account: dict[str, Any]) -> list[str]:
    state = "disabled" if account["disabled_at"] else "enabled"
    username, email = account["username"], account["email"]
    return [account["id"], f"{username:<32}", f"{state:<8}", email, *account["roles"]]


def _shown(
    account: dict[str, Any], data: dict[str, Any], active: Collection[str]
) -> dict[str, Any]:
    return {
        **account,
        "locale": data["user"]["locale"],
        "image_file": data["user"]["image_file"],
        "has_password": data["user"]["has_password"],
        **data["factors"],
        "identities": data["identities"],
        "sessions": [one for one in data["sessions"] if one["id"] in active],
        "security_events": data["security_events"][:_MAX_SHOWN],
    }


def _lines(account: dict[str, Any]) -> list[str]:
    lists = ("passkeys", "identities", "sessions", "security_events")
    lines = [
        f"{name.replace('_', ' '):<22} {_said(value)}"
        for name, value in account.items()
        if name not in lists
    ]
    for name in lists:
        rows = account[name][:_MAX_SHOWN]
        lines.append(f"{name.replace('_', ' '):<22} {len(account[name]) or 'none'}")
        lines += [f"  {_row(row)}" for row in rows]
    return lines


def _row(row: dict[str, Any]) -> str:
    shown = (row.get(name) for name in _ROW)
    return "  ".join(str(value) for value in shown if value is not None)


# Of passkeys, identities, sessions and security events.
_ROW = ("created_at", "kind", "method", "provider", "name", "email", "device", "ip", "detail")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "yes"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
