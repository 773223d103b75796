"""Run a command of the domain as the operator, and print what came of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import click

from cli.users.accounts import look_up, read_account
from cli.users.opening import services_of
from db.models import User
from domain.errors import DomainError
from domain.services import Services
from settings import Settings, load_settings

Result = TypeVar("Result")

address_argument = click.argument("address", metavar="ADDRESS")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def reason_option(
    default: str | None = None, *, help: str = "Why. The user can read it."
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option of the reason, which is required unless there is a default."""
    return click.option(
        "--reason",
        metavar="TEXT",
        required=default is None,
        default=default,
        show_default=True,
        help=help,
    )


def run(
    work: Callable[[Services], Coroutine[Any, Any, Result]], *, settings: Settings | None = None
) -> Result:
    """Run on the services of the settings. An error of the domain is a line and exit status 1."""
    return asyncio.run(_run(settings or load_settings(), work))


def change(
    address: str, act: Callable[[Services, User], Awaitable[Result]]
) -> tuple[dict[str, Any], Result]:
    """Run a command on the account with this email, username or id. Return the account as it is
    afterwards, and what the command returned."""

    async def work(services: Services) -> tuple[dict[str, Any], Result]:
        user = await look_up(services, address)
        result = await act(services, user)
        return await read_account(services, str(user.id)), result

    return run(work)


def print_json(result: dict[str, Any]) -> None:
    """Print a result as one JSON object on one line."""
    print(json.dumps(result))


def print_result(result: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Print a result as JSON or in a sentence."""
    if as_json:
        print_json(result)
    else:
        print(f"Gatehouse: {said}.")


async def _run(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, Result]]
) -> Result:
    async with services_of(settings) as services:
        try:
            return await work(services)
        except DomainError as error:
            raise SystemExit(f"gatehouse: {_line(error)}") from None


def _line(error: DomainError) -> str:
    sentences = [text for texts in error.fields.values() for text in texts] or [error.message]
    text = " ".join(sentences).removesuffix(".")
    return text[:1].lower() + text[1:]
