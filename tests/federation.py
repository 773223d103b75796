"""What a gateway of Apollo Federation sends to a subgraph."""

ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    ... on PublicUser { __typename id username }
    ... on Post { __typename id title author { username } }
  }
}
"""


def representation(type_name: str, id: object) -> dict[str, object]:
    return {"__typename": type_name, "id": id}
