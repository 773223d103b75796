"""Posts: how users publish, edit and delete their own, and how everyone reads them in pages."""

import math
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value

from db.database import retried
from db.functions import octet_length
from db.models import Post, User
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.errors import Forbidden, NotFound, QuotaExceeded, raise_invalid
from domain.ids import new_id
from domain.pagination import Page, PageRequest, newest_first
from domain.services import Services
from domain.text import is_blank, is_one_line, is_storable

MAX_TITLE_LENGTH = 200
MAX_CONTENT_LENGTH = 50_000

# A deleted account has no name, and its posts are not shown before they are deleted. (Without
# statistics, PostgreSQL takes `deleted_at IS NULL` for rare, and sorts instead of using the index.)
_IS_SHOWN = User.username != ""


class Author(NamedTuple):
    """The user who wrote a post, as everyone sees them."""

    id: UUID
    username: str
    image_file: str | None
    picture_id: str | None
    created_at: datetime


class PostWithAuthor(NamedTuple):
    """A post as everyone sees it. `contents` reads its content."""

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime
    author: Author

    @classmethod
    def of(cls, row: Sequence[Any]) -> "PostWithAuthor":
        id, title, created_at, updated_at, *author = row
        return cls(id, title, created_at, updated_at, Author(*author))


def _with_author(post: type[Post]) -> Select[*tuple[Any, ...]]:
    """Select what PostWithAuthor has, as columns: rows of the ORM take twice as long.

    One statement reads both. Reading the authors of a page separately takes twice as long as the
    page.
    """
    return (
        select(
            post.id,
            post.title,
            post.created_at,
            post.updated_at,
            User.id,
            User.username,
            User.image_file,
            User.picture_id,
            User.created_at,
        )
        .join(User, User.id == post.author_id)
        .where(_IS_SHOWN)
    )


# Built once: building them takes as long as running them.
_WITH_AUTHOR = _with_author(Post)
_FIRST_PAGE = _WITH_AUTHOR.order_by(Post.id.desc()).limit(bindparam("rows"))
_NEXT_PAGE = _FIRST_PAGE.where(Post.id < bindparam("after"))

# SQLite combines at most 500 queries in one statement.
AUTHORS_PER_STATEMENT = 100


@retried
async def publish(
    services: Services, device: Device, caller: Caller, *, title: str, content: str
) -> Post:
    """Publish a post. Raises InvalidInput, TooManyAttempts, QuotaExceeded or SessionEnded."""
    _check(title, content)
    async with services.database.reading() as session:
        await sessions.require_active(session, caller)
    await _count(services, caller, title, content)
    async with services.database.writing(to_replica=True) as session:
        # Locked to change: concurrent posts of one user are counted one after the other.
        author = await sessions.require_active(session, caller, lock="to change")
        await _check_quota(session, caller, services.posts_per_user)
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
    """Replace the text. Raises InvalidInput, NotFound, Forbidden, TooManyAttempts or
    SessionEnded."""
    _check(title, content)
    async with services.database.reading() as session:
        await _own(session, caller, post_id)
    await _count(services, caller, title, content)
    async with services.database.writing(to_replica=True) as session:
        post = await _own(session, caller, post_id, lock=True)
        post.title, post.content, post.updated_at = title, content, datetime.now(UTC)
    return post


@retried
async def delete(services: Services, device: Device, caller: Caller, post_id: UUID) -> None:
    """Delete a post. Raises NotFound, Forbidden or SessionEnded."""
    # Read first: made-up ids must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        await _own(session, caller, post_id)
    async with services.database.writing(to_replica=True) as session:
        await session.delete(await _own(session, caller, post_id, lock=True))


async def get_post(session: AsyncSession, post_id: UUID) -> PostWithAuthor | None:
    return (await get_posts(session, [post_id])).get(post_id)


async def get_posts(
    session: AsyncSession, post_ids: Collection[UUID]
) -> dict[UUID, PostWithAuthor]:
    """Return posts by id, without those that do not exist."""
    rows = await session.execute(_WITH_AUTHOR.where(Post.id.in_(post_ids)))
    return {row[0]: PostWithAuthor.of(row) for row in rows}


async def contents(
    session: AsyncSession, post_ids: Sequence[UUID], reserve: Callable[[int], None]
) -> dict[UUID, str]:
    """Return the contents of posts by id, without those that do not exist.

    ``reserve`` is called with their size in bytes before they are read, each as often as it is in
    ``post_ids``, and may raise.
    """
    wanted = Post.id.in_(set(post_ids))
    sizes = await session.execute(select(Post.id, octet_length(Post.content)).where(wanted))
    size_of = dict(sizes.all())
    reserve(sum(size_of.get(id, 0) for id in post_ids))
    found = await session.execute(select(Post.id, Post.content).where(wanted))
    return dict(found.all())


async def latest(
    connection: AsyncConnection | AsyncSession, page_request: PageRequest
) -> Page[PostWithAuthor]:
    """Return a page of all posts, newest first."""
    rows = await connection.execute(
        _FIRST_PAGE if page_request.after is None else _NEXT_PAGE,
        {"rows": page_request.rows, "after": page_request.after},
    )
    return Page.from_rows([PostWithAuthor.of(row) for row in rows], page_request)


async def latest_by(
    session: AsyncSession, author_ids: Collection[UUID], page_request: PageRequest
) -> dict[UUID, Page[PostWithAuthor]]:
    """Return the same page of each author's posts, newest first, with one statement for every
    hundred authors."""
    by_author: dict[UUID, list[PostWithAuthor]] = {author_id: [] for author_id in author_ids}
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
        for row in await session.execute(_with_author(post).order_by(post.id.desc())):
            found = PostWithAuthor.of(row)
            by_author[found.author.id].append(found)
    return {
        author_id: Page.from_rows(posts, page_request) for author_id, posts in by_author.items()
    }


async def _count(services: Services, caller: Caller, title: str, content: str) -> None:
    """Count a write of the caller, by number and by size. Raises TooManyAttempts."""
    limiter, user_id = services.rate_limiter, str(caller.user_id)
    kib = math.ceil((len(title.encode()) + len(content.encode())) / 1024)
    await limiter.hit(limiter.limits.write, user_id)
    await limiter.hit(limiter.limits.written_kib, user_id, cost=kib)


async def _check_quota(session: AsyncSession, caller: Caller, quota: int) -> None:
    own = select(Post.id).where(Post.author_id == caller.user_id)
    if await session.scalar(own.offset(quota - 1).limit(1)) is not None:
        raise QuotaExceeded(f"An account may have {quota} posts. Delete some of yours first.")


async def _own(session: AsyncSession, caller: Caller, post_id: UUID, *, lock: bool = False) -> Post:
    author = await sessions.require_active(session, caller, lock="to keep" if lock else None)
    post = await session.get(Post, post_id, with_for_update=lock)
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
