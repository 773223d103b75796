"""`gatehouse users`: help users who have lost what they sign in with."""

import asyncio
from collections.abc import Iterator

import click

from api.services import create_app_state
from cli.usage import examples
from domain import admin
from domain.admin import RemovedFactors
from domain.devices import Device
from domain.errors import NotFound
from domain.roles import OPERATOR
from settings import Settings, load_settings

# In the security events of the account.
DEVICE = Device.of(None, "gatehouse")


@click.group(
    no_args_is_help=False,
    epilog=examples("gatehouse users remove-factors ada@example.com"),
)
def users() -> None:
    """Help users who have lost what they sign in with."""


@users.command(
    epilog=examples(
        "gatehouse users remove-factors ada@example.com",
        "gatehouse users remove-factors --yes ada@example.com",
    )
)
@click.argument("address", metavar="ADDRESS")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def remove_factors(address: str, yes: bool) -> None:
    """Remove all second factors and passkeys of an account.

    ADDRESS is the email of the account. Removes its authenticator app, its recovery codes and its
    passkeys, ends its sessions, and tells the user by mail.

    Make sure before that the owner asks for it: afterwards, the password or a code by mail is
    enough to sign in.
    """
    settings = load_settings()
    if not yes and not click.confirm(
        "Remove the second factors and passkeys of this account, and end its sessions?", err=True
    ):
        raise SystemExit("gatehouse: nothing was removed")
    try:
        removed = asyncio.run(_remove_factors(settings, address))
    except NotFound:
        raise SystemExit("gatehouse: no account has this address") from None
    print(f"Gatehouse: {_described(removed, settings)}.")


async def _remove_factors(settings: Settings, address: str) -> RemovedFactors:
    services = create_app_state(settings).services
    try:
        async with services.database.reading() as session:
            user = await admin.find_account(session, services, OPERATOR, address)
        return await admin.remove_second_factors(
            services, DEVICE, OPERATOR, user.id, reason="Removed with gatehouse users"
        )
    finally:
        await services.close()


def _described(removed: RemovedFactors, settings: Settings) -> str:
    parts = list(_parts(removed))
    if not parts:
        return "the account has no authenticator app and no passkeys"
    what = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    text = f"removed {what}, and ended {_number(removed.sessions, 'session')}"
    if removed.user.has_password:
        return text
    if settings.mail_is_on:
        return f"{text}; the account has no password, and signs in with a code by mail"
    return f"{text}; the account has no password, and without mail it cannot sign in"


def _parts(removed: RemovedFactors) -> Iterator[str]:
    factors = removed.factors
    if factors.totp:
        yield "the authenticator app"
        yield _number(factors.recovery_codes_left, "recovery code")
    if factors.passkeys:
        yield _number(factors.passkeys, "passkey")


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
