"""The schema as a subgraph of Apollo Federation 2."""

import re
from typing import Any

from graphql import FieldNode, GraphQLError, NoSchemaIntrospectionCustomRule

# The oldest version that has these directives: gateways support it and all later ones.
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0",'
    ' import: ["@key", "@shareable"])'
)

DIRECTIVES = {
    # Gateways read entities by their ids, for anyone: only what everyone may read is one.
    "PublicUser": '@key(fields: "id")',
    "Post": '@key(fields: "id")',
    # Each subgraph with pages has this type.
    "PageInfo": "@shareable",
}


def subgraph_sdl(sdl: str) -> str:
    """Return the SDL of the schema with the directives of a subgraph."""
    annotated = re.sub(
        rf"^type ({'|'.join(DIRECTIVES)})\b[^{{]*",
        lambda type_: f"{type_[0]}{DIRECTIVES[type_[1]]} ",
        sdl,
        flags=re.MULTILINE,
    )
    return f"{LINK}\n\n{annotated}"


class NoIntrospectionRule(NoSchemaIntrospectionCustomRule):
    """Refuse introspection, and `_service`, which contains the schema too."""

    def enter_field(self, node: FieldNode, *args: Any) -> None:
        super().enter_field(node, *args)
        if node.name.value == "_service" and self.context.get_field_def():
            self.report_error(GraphQLError("GraphQL introspection has been disabled.", node))
