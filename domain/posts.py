"""Posts: how users publish, edit and delete their own, and how everyone reads them in pages."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from db.database import retried
from db.models import Post
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.errors import Forbidden, NotFound, raise_invalid
from domain.ids import new_id
from domain.pagination import Page, PageRequest, newest_first
from domain.services import Services
from domain.text import is_blank, is_one_line, is_storable

MAX_TITLE_LENGTH = 200
MAX_CONTENT_LENGTH = 50_000

# Every post is shown with its author, so one statement reads both. Reading the authors of a page
# separately takes twice as long as the page.
WITH_AUTHOR = joinedload(Post.author)

# SQLite combines at most 500 queries in one statement.
AUTHORS_PER_STATEMENT = 100


@retried
async def publish(
    services: Services, device: Device, caller: Caller, *, title: str, content: str
) -> Post:
    """Publish a post. Raises InvalidInput or SessionEnded."""
    _check(title, content)
    async with services.database.writing() as session:
        author = await sessions.require_active(session, caller, lock="to keep")
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


@retried
async def edit(
    services: Services,
    device: Device,
    caller: Caller,
    post_id: UUID,
    *,
    title: str,
    content: str,
) -> Post:
    """Replace the text. Raises InvalidInput, NotFound, Forbidden or SessionEnded."""
    _check(title, content)
    async with services.database.writing() as session:
        post = await _own(session, caller, post_id)
        post.title, post.content, post.updated_at = title, content, datetime.now(UTC)
    return post


@retried
async def delete(services: Services, device: Device, caller: Caller, post_id: UUID) -> None:
    """Delete a post. Raises NotFound, Forbidden or SessionEnded."""
    async with services.database.writing() as session:
        await session.delete(await _own(session, caller, post_id))


async def get_post(session: AsyncSession, post_id: UUID) -> Post | None:
    return await session.get(Post, post_id, options=[WITH_AUTHOR])


async def latest(session: AsyncSession, page_request: PageRequest) -> Page[Post]:
    """Return a page of all posts, newest first."""
    posts = await session.scalars(
        newest_first(select(Post).options(WITH_AUTHOR), Post.id, page_request)
    )
    return Page.from_rows(posts.all(), page_request)


async def latest_by(
    session: AsyncSession, author_ids: Collection[UUID], page_request: PageRequest
) -> dict[UUID, Page[Post]]:
    """Return the same page of each author's posts, newest first, with one statement for every
    hundred authors."""
    by_author: dict[UUID, list[Post]] = {author_id: [] for author_id in author_ids}
    left = list(author_ids)
    while left:
        some, left = left[:AUTHORS_PER_STATEMENT], left[AUTHORS_PER_STATEMENT:]
        # One index search for each author's page. A window function would number all of their
        # posts.
        pages = [
            newest_first(select(Post).where(Post.author_id == author_id), Post.id, page_request)
            .subquery()
            .select()
            for author_id in some
        ]
        post = aliased(Post, union_all(*pages).subquery())
        statement = select(post).options(joinedload(post.author)).order_by(post.id.desc())
        for found in await session.scalars(statement):
            by_author[found.author_id].append(found)
    return {
        author_id: Page.from_rows(posts, page_request) for author_id, posts in by_author.items()
    }


async def _own(session: AsyncSession, caller: Caller, post_id: UUID) -> Post:
    author = await sessions.require_active(session, caller, lock="to keep")
    post = await session.get(Post, post_id, with_for_update=True)
    if post is None:
        raise NotFound("There is no post with this id.")
    if post.author_id != caller.user_id:
        raise Forbidden("This post belongs to another user.")
    set_committed_value(post, "author", author)
    return post


def _check(title: str, content: str) -> None:
    raise_invalid(title=_title_problems(title), content=_content_problems(content))


def _title_problems(title: str) -> list[str]:
    if len(title) > MAX_TITLE_LENGTH or is_blank(title) or not is_one_line(title):
        return [
            f"A title must have 1 to {MAX_TITLE_LENGTH} characters on one line and must not be blank."
        ]
    return []


def _content_problems(content: str) -> list[str]:
    if (
        len(content) > MAX_CONTENT_LENGTH
        or is_blank(content)
        or not is_storable(content, besides="\n\r\t")
    ):
        return [
            f"The content must have 1 to {MAX_CONTENT_LENGTH} characters, must not be blank and must not contain"
            " control characters."
        ]
    return []
