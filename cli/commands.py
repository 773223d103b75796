"""The `gatehouse` command."""

import argparse
import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import create_engine_from
from cli.check import check
from cli.keys import add_keys
from cli.tune import MAX_MEMORY_MIB, MAX_TARGET_MS, MEMORY_MIB, TARGET_MS, tune
from db import migrations
from db.database import Database
from db.engine import TIMEOUT
from db.errors import reason
from domain import retention
from domain.passwords.tuning import MIN_MEMORY_MIB
from graphql_schema.engine.limits import UNLIMITED
from graphql_schema.schema import Schema
from server.serve import serve
from settings import MAX_WORKERS, Settings, load_settings

# 64 bytes: enough for HS512 too (RFC 7518 section 3.2).
SECRET_BYTES = 64


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """In a line, as everything is refused here, and not below the usage."""
        self.exit(2, f"gatehouse: {message}\n")


def main() -> None:
    parser = Parser(prog="gatehouse", description="A GraphQL accounts API.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, says in (
        ("check", check, "say whether this configuration can be served to the world"),
        ("migrate", migrate, "bring the database's tables up to date"),
        ("schema", print_schema, "print the GraphQL schema"),
        (
            "prune",
            prune,
            "delete ended sessions and security events of more than RETENTION_DAYS ago",
        ),
        ("secret", print_secret, "print a fresh SECRET_KEY"),
    ):
        commands.add_parser(name, help=says, description=says).set_defaults(run=run)
    _add_serve(commands)
    _add_tune(commands)
    add_keys(commands)
    options = vars(parser.parse_args())
    options.pop("run")(**options)


def _add_serve(commands: "argparse._SubParsersAction[Parser]") -> None:
    says = "serve the API on HOST and PORT"
    parser = commands.add_parser("serve", help=says, description=f"{says}.")
    parser.add_argument(
        "--workers",
        type=_whole_number(1, MAX_WORKERS),
        metavar="N",
        help="how many processes serve (WORKERS)",
    )
    parser.set_defaults(run=serve)


def _add_tune(commands: "argparse._SubParsersAction[Parser]") -> None:
    says = "measure what a password hash may cost on this machine, and print it for .env"
    parser = commands.add_parser("tune", help=says, description=f"{says}. It takes seconds.")
    parser.add_argument(
        "--target-ms",
        type=_whole_number(1, MAX_TARGET_MS),
        default=TARGET_MS,
        metavar="MS",
        help="how long one hash may take (%(default)s)",
    )
    parser.add_argument(
        "--memory-mib",
        type=_whole_number(MIN_MEMORY_MIB, MAX_MEMORY_MIB),
        default=MEMORY_MIB,
        metavar="MIB",
        help="how much memory one hash may take; each of HASHING_THREADS does (%(default)s)",
    )
    parser.set_defaults(run=tune)


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"takes a whole number from {least} to {most}")
        return int(text)

    return parse


def migrate() -> None:
    asyncio.run(_migrate(load_settings()))


async def _migrate(settings: Settings) -> None:
    async with _engine_from(settings, time_limit=None) as engine:
        await migrations.upgrade(engine)
    print("Gatehouse: the database is up to date.")


def prune() -> None:
    asyncio.run(_prune(load_settings()))


async def _prune(settings: Settings) -> None:
    async with _engine_from(settings) as engine:
        deleted = await retention.prune(Database(engine), kept_for=settings.retention)
    print(f"Gatehouse: {deleted} rows were old enough to go.")


@asynccontextmanager
async def _engine_from(
    settings: Settings, *, time_limit: timedelta | None = TIMEOUT
) -> AsyncIterator[AsyncEngine]:
    """For one command. What goes wrong with the database is a line and no traceback."""
    engine = create_engine_from(settings, time_limit=time_limit)
    try:
        yield engine
    except SQLAlchemyError as error:
        raise SystemExit(f"gatehouse: {reason(error)}") from None
    finally:
        await engine.dispose()


def print_schema() -> None:
    print(Schema(UNLIMITED).as_str())


def print_secret() -> None:
    print(secrets.token_urlsafe(SECRET_BYTES))
