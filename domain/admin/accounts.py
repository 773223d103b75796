"""Read the accounts of others: one, or a page of those that are searched for."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, undefer

from db.models import LoginSession, User, UserRole
from domain import emails, usernames
from domain.access_tokens.tokens import Caller
from domain.admin.changing import require_permission
from domain.errors import NotFound
from domain.pagination import Page, PageRequest, newest_first
from domain.roles import Operator, Permission, Role
from domain.services import Services

_ACCOUNTS = (
    select(User)
    .where(User.deleted_at.is_(None))
    .options(undefer(User.disabled_at), undefer(User.disabled_reason), undefer(User.must_reset_at))
)

# Both databases compare the keys by their bytes in UTF-8, in which no character is greater.
_GREATEST = "\U0010ffff"


async def get_account(
    session: AsyncSession, services: Services, actor: Caller | Operator, account_id: UUID
) -> User | None:
    """Return an account, or None if there is none. Raises what `require_permission` raises."""
    await require_permission(session, services, actor, Permission.READ_ACCOUNTS)
    user: User | None = await session.scalar(_ACCOUNTS.where(User.id == account_id))
    return user


async def find_account(
    session: AsyncSession, services: Services, actor: Caller | Operator, text: str
) -> User:
    """Return the account that has exactly this email, username or id. Raises NotFound and what
    `require_permission` raises."""
    await require_permission(session, services, actor, Permission.READ_ACCOUNTS)
    if id := _id_of(text):
        condition = User.id == id
    elif "@" in text:
        condition = User.email_key == emails.key(text)
    else:
        condition = User.username_key == usernames.key(text)
    user: User | None = await session.scalar(_ACCOUNTS.where(condition))
    if user is None:
        raise NotFound("No account has this email, username or id.")
    return user


async def list_accounts(
    session: AsyncSession,
    services: Services,
    actor: Caller | Operator,
    page_request: PageRequest,
    *,
    search: str | None = None,
    role: Role | None = None,
    disabled: bool | None = None,
) -> Page[User]:
    """Return a page of accounts, newest first. With ``role`` or ``disabled``, only those.

    With ``search``, those whose username or email begins with it, in the order of these: first all
    whose username does, then the others. Or the one with this id. Upper and lower case are the
    same, and so are letters that look alike in usernames.

    Raises what `require_permission` raises.
    """
    await require_permission(session, services, actor, Permission.READ_ACCOUNTS)
    accounts, id = _ACCOUNTS, User.id
    if role is not None:
        # The index of the roles has the ids in this order.
        id = UserRole.user_id
        accounts = accounts.join(UserRole, UserRole.user_id == User.id)
        accounts = accounts.where(UserRole.role == role)
    if disabled is not None:
        accounts = accounts.where(
            User.disabled_at.is_not(None) if disabled else User.disabled_at.is_(None)
        )
    text = (search or "").strip()
    if found_id := _id_of(text):
        accounts = accounts.where(User.id == found_id)
    elif text:
        rows = await _search(session, accounts, text, page_request)
        return Page.from_rows(rows, page_request)
    found = await session.scalars(newest_first(accounts, id, page_request))
    return Page.from_rows(found.all(), page_request)


async def last_seen(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when users last signed in or refreshed a session, by id, without those of whom no
    session is kept."""
    rows = await session.execute(
        select(LoginSession.user_id, func.max(LoginSession.last_used_at))
        .where(LoginSession.user_id.in_(user_ids), LoginSession.impersonator_id.is_(None))
        .group_by(LoginSession.user_id)
    )
    return dict(rows.all())


async def _search(
    session: AsyncSession, accounts: Select[User], text: str, page_request: PageRequest
) -> list[User]:
    """Return the rows of a page and one more. Each index is read from where the page begins, so a
    page takes the same time wherever it is, and however many match."""
    by_username = _begins_with(User.username_key, usernames.key(text))
    by_email = _begins_with(User.email_key, emails.key_prefix(text))
    after_username, after_email = await _keys_after(session, page_request.after, by_username)
    found: list[User] = []
    if after_email is None:
        page = _in_order(accounts.where(by_username), User.username_key, after_username)
        found += await session.scalars(page.limit(page_request.size + 1))
    if missing := page_request.size + 1 - len(found):
        page = _in_order(accounts.where(by_email, not_(by_username)), User.email_key, after_email)
        found += await session.scalars(page.limit(missing))
    return found


async def _keys_after(
    session: AsyncSession, after: UUID | None, by_username: ColumnElement[bool]
) -> tuple[str | None, str | None]:
    """Return the username that a page begins after, or the email among those found by email."""
    if after is None:
        return None, None
    keys = select(User.username_key, User.email_key, by_username).where(User.id == after)
    row = (await session.execute(keys)).one_or_none()
    if row is None:
        # Deleted since: there is no telling where the page began.
        return None, _GREATEST
    username_key, email_key, is_by_username = row
    return (username_key, None) if is_by_username else (None, email_key)


def _in_order(
    accounts: Select[User], key: InstrumentedAttribute[str], after: str | None
) -> Select[User]:
    return (accounts if after is None else accounts.where(key > after)).order_by(key)


def _begins_with(key: InstrumentedAttribute[str], prefix: str | None) -> ColumnElement[bool]:
    """Return the condition as a range, which both databases look up in the index."""
    if not prefix:
        return false()
    return and_(key >= prefix, key < prefix + _GREATEST)


def _id_of(text: str) -> UUID | None:
    try:
        id = UUID(text)
    except ValueError:
        return None
    return id if str(id) == text.lower() else None
