"""`gatehouse schema`: print the GraphQL schema."""

import click

from cli.usage import examples
from graphql_schema.engine.limits import UNLIMITED
from graphql_schema.schema import Schema


@click.command(epilog=examples("gatehouse schema > schema.graphql"))
def schema() -> None:
    """Print the GraphQL schema, for code generators."""
    print(Schema(UNLIMITED).as_str())
