"""`gatehouse schema`: print the GraphQL schema."""

import click

from cli.usage import examples
from graphql_schema.engine.limits import UNLIMITED
from graphql_schema.schema import Schema


@click.command(
    epilog=examples(
        "gatehouse schema > schema.graphql", "gatehouse schema --federation > accounts.graphql"
    )
)
@click.option(
    "--federation",
    is_flag=True,
    help="Print it as a subgraph of Apollo Federation 2, for composition.",
)
def schema(federation: bool) -> None:
    """Print the GraphQL schema, for code generators."""
    print(Schema(UNLIMITED, federation=federation).as_str())
