"""Who is calling, as the database has it: the busiest question of the house."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models import LoginSession, User
from domain.access_tokens.tokens import Caller
from domain.errors import SessionEnded
from domain.sessions.active import NOW, is_ongoing

# In one statement. SQLite takes 32,766 parameters.
MAX_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Account:
    """A person as they see themselves."""

    id: UUID
    username: str
    email: str
    image_file: str | None
    created_at: datetime


class Callers:
    """Reads the accounts of callers, by one statement for all who ask at the same moment. (A request alone waits no longer
    for it; 32 at once take a quarter of the time.)

    Nothing is kept: every answer, and with it the verdict on the session, comes from a statement that began after it was
    asked for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[tuple[Caller, asyncio.Future[Account]]] = []
        self._reading: asyncio.Task[None] | None = None

    def account(self, caller: Caller) -> asyncio.Future[Account]:
        """Answers with SessionEnded when the session has ended or expired, or the account is gone."""
        answer: asyncio.Future[Account] = asyncio.get_running_loop().create_future()
        self._asked.append((caller, answer))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return answer

    async def _read(self) -> None:
        """One statement after the other: meanwhile, whoever asks gathers for the next. (Two at a time are slower.)"""
        while self._asked:
            asked, self._asked = self._asked[:MAX_TOGETHER], self._asked[MAX_TOGETHER:]
            await self._answer(asked)

    async def _answer(self, asked: list[tuple[Caller, asyncio.Future[Account]]]) -> None:
        try:
            async with self._database.reading() as session:
                found = await accounts_of(session, {caller for caller, _ in asked})
        except Exception as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for caller, answer in asked:
            if answer.done():
                continue  # whoever has left does not wait any more
            account = found.get(caller)
            if account is None:
                answer.set_exception(SessionEnded())
            else:
                answer.set_result(account)


# Made once: to make it takes as long as to run it.
_ACCOUNTS = (
    select(LoginSession.id, User.id, User.username, User.email, User.image_file, User.created_at)
    .join(User, User.id == LoginSession.user_id)
    .where(LoginSession.id.in_(bindparam("session_ids", expanding=True)), is_ongoing(NOW))
)


async def accounts_of(session: AsyncSession, callers: Collection[Caller]) -> dict[Caller, Account]:
    """The accounts of those whose sessions go on, in one statement."""
    rows = await session.execute(
        _ACCOUNTS,
        {"session_ids": [caller.session_id for caller in callers], NOW.key: datetime.now(UTC)},
    )
    # A token names both: a session of someone else's is none of the caller's.
    return {Caller(row[1], row[0]): Account(*row[1:]) for row in rows}
