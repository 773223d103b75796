"""Posts: how a person publishes, edits and removes what is theirs, and how everyone pages through it."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from db.models import Post
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.errors import Forbidden, NotFound, refuse
from domain.ids import new_id
from domain.pagination import Page, Window, newest_first
from domain.text import is_blank, is_one_line, is_storable

MAX_TITLE_LENGTH = 200
MAX_CONTENT_LENGTH = 50_000

# Every reader of a post asks who wrote it, and the same statement answers that. (To ask for the authors of a page by
# themselves takes twice as long as the page.)
WITH_AUTHOR = joinedload(Post.author)

# SQLite puts together at most 500 queries in one.
AUTHORS_IN_A_STATEMENT = 100


async def publish(session: AsyncSession, caller: Caller, *, title: str, content: str) -> Post:
    """Raises InvalidInput, SessionEnded."""
    _check(title, content)
    author = await sessions.authorize(session, caller, lock="to keep")
    now = datetime.now(UTC)
    post = Post(
        id=new_id(),
        author_id=author.id,
        title=title,
        content=content,
        created_at=now,
        updated_at=now,
    )
    session.add(post)
    set_committed_value(post, "author", author)
    return post


async def edit(
    session: AsyncSession, editor: Caller, post_id: UUID, *, title: str, content: str
) -> Post:
    """Raises InvalidInput, NotFound, Forbidden, SessionEnded."""
    _check(title, content)
    post = await _own(session, editor, post_id)
    post.title, post.content, post.updated_at = title, content, datetime.now(UTC)
    return post


async def remove(session: AsyncSession, remover: Caller, post_id: UUID) -> None:
    """Raises NotFound, Forbidden, SessionEnded."""
    await session.delete(await _own(session, remover, post_id))


async def get_post(session: AsyncSession, post_id: UUID) -> Post | None:
    return await session.get(Post, post_id, options=[WITH_AUTHOR])


async def latest(session: AsyncSession, window: Window) -> Page[Post]:
    """A page of everyone's posts, newest first."""
    posts = await session.scalars(newest_first(select(Post).options(WITH_AUTHOR), Post.id, window))
    return Page.cut(posts.all(), window)


async def latest_by(
    session: AsyncSession, author_ids: Collection[UUID], window: Window
) -> dict[UUID, Page[Post]]:
    """The same page of each author's posts, newest first, in one statement for every hundred authors."""
    by_author: dict[UUID, list[Post]] = {author_id: [] for author_id in author_ids}
    left = list(author_ids)
    while left:
        some, left = left[:AUTHORS_IN_A_STATEMENT], left[AUTHORS_IN_A_STATEMENT:]
        # Each author's page is a search of its own in the index. A window function would number all of their posts.
        pages = [
            newest_first(select(Post).where(Post.author_id == author_id), Post.id, window)
            .subquery()
            .select()
            for author_id in some
        ]
        post = aliased(Post, union_all(*pages).subquery())
        statement = select(post).options(joinedload(post.author)).order_by(post.id.desc())
        for found in await session.scalars(statement):
            by_author[found.author_id].append(found)
    return {author_id: Page.cut(posts, window) for author_id, posts in by_author.items()}


async def _own(session: AsyncSession, caller: Caller, post_id: UUID) -> Post:
    author = await sessions.authorize(session, caller, lock="to keep")
    post = await session.get(Post, post_id, with_for_update=True)
    if post is None:
        raise NotFound("There is no such post.")
    if post.author_id != caller.user_id:
        raise Forbidden("This is someone else's post.")
    set_committed_value(post, "author", author)
    return post


def _check(title: str, content: str) -> None:
    refuse(title=_title_problems(title), content=_content_problems(content))


def _title_problems(title: str) -> list[str]:
    if is_blank(title) or len(title) > MAX_TITLE_LENGTH or not is_one_line(title):
        return [
            f"A title has 1 to {MAX_TITLE_LENGTH} characters on one line, some of them to be seen."
        ]
    return []


def _content_problems(content: str) -> list[str]:
    if (
        is_blank(content)
        or len(content) > MAX_CONTENT_LENGTH
        or not is_storable(content, besides="\n\r\t")
    ):
        return [
            f"A content has 1 to {MAX_CONTENT_LENGTH} characters, some of them to be seen, and no control characters."
        ]
    return []
