"""The current user: the row of a caller whose session is active."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.pool import Pool

from db.database import Database
from db.errors import is_away
from db.models import LoginSession, User
from domain.access_tokens.tokens import Caller
from domain.errors import SessionEnded
from domain.sessions.active import NOW, is_active

# SQLite accepts 32,766 parameters in a statement.
MAX_BATCH_SIZE = 500

# How long a connection is kept for the next batch: taking one from the pool takes a third of the
# time of a batch.
HELD = timedelta(milliseconds=100)

_Waiting = tuple[Caller, asyncio.Future["CurrentUser"]]


@dataclass(frozen=True, slots=True)
class CurrentUser:
    id: UUID
    username: str
    email: str
    email_verified_at: datetime | None
    has_password: bool
    locale: str | None
    image_file: str | None
    picture_id: str | None
    created_at: datetime


class CurrentUserLoader:
    """Reads current users in batches: one statement for all callers that wait at the same moment.

    A single request waits no longer for it, and 32 at once take a quarter of the time. Nothing is
    cached: every result comes from a statement that began after the call.

    The time of a batch is charged to no network, because it serves callers of several. One caller's
    part is less than the time that the caller's own request is charged: a millisecond alone, and a
    twentieth of one among 32.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._reading: asyncio.Task[None] | None = None
        self._more: asyncio.Future[None] | None = None

    def load(self, caller: Caller) -> asyncio.Future[CurrentUser]:
        """Return the caller's user. The future raises SessionEnded if the session has ended or
        expired, or if the account was deleted."""
        result: asyncio.Future[CurrentUser] = asyncio.get_running_loop().create_future()
        self._waiting.append((caller, result))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        self._stop_waiting()
        return result

    async def close(self) -> None:
        """Stop the read under way, which may go on after those who waited for it have left. Cancel
        the futures that have no result yet."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        _cancel(self._waiting)
        self._waiting = []

    async def _read(self) -> None:
        """Read batch after batch. Callers that come meanwhile wait for the next one: two statements
        at a time are slower."""
        clock = asyncio.get_running_loop().time
        while batch := self._take():
            is_kept, pool = False, self._database.read_pool
            try:
                async with self._database.connecting() as connection:
                    kept_until = clock() + HELD.total_seconds()
                    while batch:
                        self._database.require_same_file()
                        begun = clock()
                        await _read_batch(connection, batch)
                        is_kept = True
                        batch = await self._next(kept_until, pool)
            except asyncio.CancelledError:
                _cancel(batch)
                raise
            except Exception as error:
                if is_kept and is_away(error) and clock() - begun < HELD.total_seconds():
                    # The server had closed it, which is noticed when one is taken from the pool.
                    self._waiting = batch + self._waiting
                    continue
                for _, result in batch:
                    if not result.done():
                        result.set_exception(error)

    async def _next(self, until: float, pool: Pool) -> list[_Waiting]:
        """Wait for callers until this time of the loop's clock, and take them if the connection may
        be kept for them."""
        loop = asyncio.get_running_loop()
        if not self._waiting and loop.time() < until:
            self._more = loop.create_future()
            timer = loop.call_at(until, self._stop_waiting)
            try:
                await self._more
            finally:
                timer.cancel()
        may_keep = loop.time() < until and pool is self._database.read_pool
        return self._take() if may_keep else []

    def _stop_waiting(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _take(self) -> list[_Waiting]:
        batch, self._waiting = self._waiting[:MAX_BATCH_SIZE], self._waiting[MAX_BATCH_SIZE:]
        return batch


def _cancel(batch: list[_Waiting]) -> None:
    for _, result in batch:
        result.cancel()


async def _read_batch(connection: AsyncConnection, batch: list[_Waiting]) -> None:
    found = await current_users(connection, {caller for caller, _ in batch})
    for caller, result in batch:
        if result.done():
            continue  # its request was cancelled
        user = found.get(caller)
        if user is None:
            result.set_exception(SessionEnded())
        else:
            result.set_result(user)


# Built once: building it takes as long as running it.
_CURRENT_USERS = (
    select(
        LoginSession.id,
        User.id,
        User.username,
        User.email,
        User.email_verified_at,
        User.password_hash.is_not(None),
        User.locale,
        User.image_file,
        User.picture_id,
        User.created_at,
    )
    .join(User, User.id == LoginSession.user_id)
    .where(LoginSession.id.in_(bindparam("session_ids", expanding=True)), is_active(NOW))
)


async def current_users(
    connection: AsyncConnection | AsyncSession, callers: Collection[Caller]
) -> dict[Caller, CurrentUser]:
    """Return the users of those callers whose sessions are active, in one statement."""
    rows = await connection.execute(
        _CURRENT_USERS,
        {"session_ids": [caller.session_id for caller in callers], NOW.key: datetime.now(UTC)},
    )
    # A token names a user and a session: a session of another user does not make its holder that
    # user.
    # SQLAlchemy has types for nine columns.
    return {Caller(row[1], row[0]): CurrentUser(*row[1:]) for row in rows}  # type: ignore[call-arg]
