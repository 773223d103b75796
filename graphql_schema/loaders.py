"""DataLoaders: what sibling fields ask for one by one is read at once.

Each batch has its own short session, and no session is held while a loader waits. Nothing is remembered: a field that is
asked again after a mutation, or later on a WebSocket, sees what is there by then.
"""

from collections import defaultdict
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.database import Database
from db.models import Post
from domain import posts
from domain.pagination import Page, Window


class Loaders:
    """One set for each request, or for each WebSocket."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.posts_by_author = DataLoader(load_fn=self._load_posts_by_author, cache=False)

    async def _load_posts_by_author(self, keys: list[tuple[UUID, Window]]) -> list[Page[Post]]:
        authors: dict[Window, set[UUID]] = defaultdict(set)
        for author_id, window in keys:
            authors[window].add(author_id)
        async with self._database.reading() as session:
            pages = {
                window: await posts.latest_by(session, author_ids, window)
                for window, author_ids in authors.items()
            }
        return [pages[window][author_id] for author_id, window in keys]
