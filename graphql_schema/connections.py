"""Lists in pages, as Relay's Cursor Connections have them."""

from collections.abc import Callable
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

import strawberry
from strawberry.relay import PageInfo

from domain.pagination import MAX_PAGE_SIZE, Page, cursor


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


Row = TypeVar("Row", bound=HasId)
Node = TypeVar("Node")

First = Annotated[
    int | None,
    strawberry.argument(description=f"How many, newest first: 1 to {MAX_PAGE_SIZE}."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Begin after this cursor: the `endCursor` of the page before."),
]


@strawberry.type(description="An entry in its place in a list.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="The place, as `after` takes it.")
    node: Node = strawberry.field(description="The entry itself.")


@strawberry.type(
    description="A page of a list, newest first (Relay's Cursor Connections)."
    " Entries that come or go between two pages move none of the others."
)
class Connection(Generic[Node]):
    edges: list[Edge[Node]] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page is in the list.")


def connection(page: Page[Row], node: Callable[[Row], Node]) -> Connection[Node]:
    edges = [Edge(cursor=cursor(row.id), node=node(row)) for row in page.rows]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )
