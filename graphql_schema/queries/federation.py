"""What a gateway of Apollo Federation reads from a subgraph.

Gateways send the documents of anyone to `_entities`: it returns what `user` and `post` do.
"""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, NewType

import strawberry

from domain.errors import raise_invalid
from domain.pagination import MAX_PAGE_SIZE
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, LONG_TEXT, cost
from graphql_schema.ids import NIL, as_uuid
from graphql_schema.queries.posts import posts_by_id
from graphql_schema.types.posts import Post
from graphql_schema.types.users import PublicUser, public_users

Representation = NewType("Representation", object)
REPRESENTATION = strawberry.scalar(
    name="_Any",
    description="The `__typename` and the key of an entity.",
    serialize=lambda value: value,
    parse_value=lambda value: value,
)

Entity = Annotated[
    PublicUser | Post,
    strawberry.union("_Entity", description="A type that other subgraphs can refer to."),
]


@strawberry.type(name="_Service", description="This subgraph.")
class Service:
    sdl: str = strawberry.field(description="The schema of this subgraph, for composition.")


@strawberry.field(
    name="_entities",
    metadata=cost(LIST_QUERY),
    description="The entities that are represented, in the same order. Null for each that does not exist or whose"
    " representation is malformed. Errors: INVALID_INPUT.",
)
async def entities(
    info: Info,
    representations: Annotated[
        list[Representation],
        strawberry.argument(
            description=f"At most {MAX_PAGE_SIZE}, each with `__typename` and `id`."
        ),
    ],
) -> list[Entity | None]:
    if len(representations) > MAX_PAGE_SIZE:
        raise_invalid(representations=[f"At most {MAX_PAGE_SIZE} representations are allowed."])
    return await asyncio.gather(*(_load(info, one) for one in representations))


def _load(info: Info, representation: object) -> Awaitable[PublicUser | Post | None]:
    match representation:
        case {"__typename": "PublicUser", "id": str(id)}:
            return info.context.loaders.from_replica(public_users).load(as_uuid(id))
        case {"__typename": "Post", "id": str(id)}:
            return info.context.loaders.from_replica(posts_by_id).load(as_uuid(id))
    return info.context.loaders.from_replica(public_users).load(NIL)


@strawberry.field(
    name="_service",
    metadata=cost(LONG_TEXT),
    description="This subgraph. Only where introspection is on.",
)
def service(info: Info) -> Service:
    sdl = info.schema.as_str()
    info.context.response.reserve(len(sdl))
    return Service(sdl=sdl)
