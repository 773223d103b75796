"""The `gatehouse` command."""

import argparse
import asyncio
import secrets

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from api.app import SchemaOutOfDate, create_app, create_engine_from, prepare_database
from db import migrations
from graphql_schema.limits import UNLIMITED
from graphql_schema.schema import Schema
from settings import Settings, load_settings

# 64 bytes: enough for HS512 too (RFC 7518 section 3.2).
SECRET_BYTES = 64


def main() -> None:
    parser = argparse.ArgumentParser(prog="gatehouse", description="A GraphQL accounts API.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, says in (
        ("serve", serve, "serve the API on HOST and PORT"),
        ("migrate", migrate, "bring the database's tables up to date"),
        ("schema", print_schema, "print the GraphQL schema"),
        ("secret", print_secret, "print a fresh SECRET_KEY"),
    ):
        commands.add_parser(name, help=says, description=says).set_defaults(run=run)
    parser.parse_args().run()


def serve() -> None:
    settings = load_settings()
    asyncio.run(_prepare(settings))
    address = f"http://{settings.host}:{settings.port}"
    app = create_app(settings)
    page = "/graphql" if settings.allows("graphiql") else "/docs"
    print(f"Gatehouse: open {address}{page} in a browser. Ctrl+C stops it.", flush=True)
    uvicorn.run(app, host=settings.host, port=settings.port, server_header=False)


async def _prepare(settings: Settings) -> None:
    engine = create_engine_from(settings)
    try:
        await prepare_database(engine)
    except (SchemaOutOfDate, SQLAlchemyError) as error:
        raise SystemExit(f"gatehouse: {_in_one_line(error)}") from None
    finally:
        await engine.dispose()


def migrate() -> None:
    asyncio.run(_migrate(load_settings()))


async def _migrate(settings: Settings) -> None:
    engine = create_engine_from(settings)
    try:
        await migrations.upgrade(engine)
    except SQLAlchemyError as error:
        raise SystemExit(f"gatehouse: {_in_one_line(error)}") from None
    finally:
        await engine.dispose()
    print("Gatehouse: the database is up to date.")


def _in_one_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def print_schema() -> None:
    print(Schema(UNLIMITED).as_str())


def print_secret() -> None:
    print(secrets.token_urlsafe(SECRET_BYTES))
