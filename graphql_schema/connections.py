"""Lists in pages (Relay Cursor Connections)."""

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
    strawberry.argument(description=f"The number of entries, newest first: 1 to {MAX_PAGE_SIZE}."),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="The cursor to start after: the `endCursor` of the previous page."
    ),
]


@strawberry.type(description="An entry of a list, with its cursor.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="The cursor of the entry, as `after` takes it.")
    node: Node = strawberry.field(description="The entry.")


@strawberry.type(
    description="A page of a list, newest first (Relay Cursor Connections)."
    " Entries that are added or deleted between two pages do not shift the others."
)
class Connection(Generic[Node]):
    edges: list[Edge[Node]] = strawberry.field(description="The entries of this page.")
    page_info: PageInfo = strawberry.field(description="The position of this page in the list.")


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
