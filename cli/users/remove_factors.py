"""`gatehouse users remove-factors`: help a user who has lost their second factors."""

from collections.abc import Iterator

import click

from cli.usage import examples
from cli.users.opening import OPERATOR_DEVICE
from cli.users.running import address_argument, change, json_option, print_result, reason_option
from domain import admin
from domain.admin import RemovedFactors
from domain.roles import OPERATOR
from settings import Settings, load_settings


@click.command(
    name="remove-factors",
    epilog=examples(
        "gatehouse users remove-factors ada@example.com",
        "gatehouse users remove-factors --yes ada@example.com",
    ),
)
@address_argument
@reason_option("Removed with gatehouse users")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def remove_factors(address: str, reason: str, yes: bool, as_json: bool) -> None:
    """Remove all second factors and passkeys of an account.

    ADDRESS is the email, the username or the id of the account. Removes its authenticator app, its
    recovery codes and its passkeys, ends its sessions, and tells the user by mail.

    Make sure before that the owner asks for it: afterwards, the password or a code by mail is
    enough to sign in.
    """
    settings = load_settings()
    if not yes and not click.confirm(
        "Remove the second factors and passkeys of this account, and end its sessions?", err=True
    ):
        raise SystemExit("gatehouse: nothing was removed")
    account, removed = change(
        address,
        lambda services, user: admin.remove_second_factors(
            services, OPERATOR_DEVICE, OPERATOR, user.id, reason=reason
        ),
    )
    result = account | {
        "removed_app": removed.factors.totp,
        "removed_recovery_codes": removed.factors.recovery_codes_left,
        "removed_passkeys": removed.factors.passkeys,
        "ended_sessions": removed.sessions,
    }
    print_result(result, _described(removed, settings), as_json=as_json)


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
