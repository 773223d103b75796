"""The costs of stored hashes, as a sample of all users.

After the costs were raised, users who have not signed in since still have hashes of the former
costs, and imported users have hashes of other schemes. Verifying one takes another time. An unknown
user must take the time of some stored hash, each as often as there are such hashes
(`hashing.PasswordHasher`).
"""

import random
import re
from collections.abc import Iterable

from sqlalchemy import Select, Table, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain.passwords import imported

# Enough to know costs that one user in some thousand has, and some hundredths of a second to read.
SAMPLE_SIZE = 10_000

# Everything before the salt. What has another form cannot be verified.
_PARAMETERS = re.compile(
    r"\$argon2(?:id|i|d)\$v=\d{1,3}\$m=\d{1,8},t=\d{1,4},p=\d{1,3}\$|" + imported.PARAMETERS
)
_LONGEST = 48


async def sample(session: AsyncSession) -> list[str]:
    """Return the parameters of stored hashes, such as ``$argon2id$v=19$m=19456,t=2,p=1$``, of at
    most about ``SAMPLE_SIZE`` users who are chosen at random."""
    if session.get_bind().dialect.name == "sqlite":
        statement = await _sqlite_sample(session)
    else:
        statement = await _postgresql_sample(session)
    return _parameters(await session.scalars(statement))


async def _sqlite_sample(session: AsyncSession) -> Select[str]:
    newest = await session.scalar(text("SELECT max(rowid) FROM users")) or 0
    statement = select(func.substr(User.password_hash, 1, _LONGEST)).where(
        User.password_hash.is_not(None)
    )
    if newest <= SAMPLE_SIZE:
        return statement
    chosen = random.sample(range(1, newest + 1), SAMPLE_SIZE)
    return statement.where(literal_column("users.rowid").in_(chosen))


async def _postgresql_sample(session: AsyncSession) -> Select[str]:
    # An estimate, and -1 for a table that was never analyzed.
    rows = await session.scalar(
        text("SELECT reltuples FROM pg_class WHERE oid = CAST('users' AS regclass)")
    )
    percent = min(100.0, 100 * SAMPLE_SIZE / rows) if rows and rows > 0 else 100.0
    users = User.__table__
    assert isinstance(users, Table)
    chosen = users.tablesample(func.system(percent))
    statement = select(func.substr(chosen.c.password_hash, 1, _LONGEST))
    return statement.where(chosen.c.password_hash.is_not(None)).limit(2 * SAMPLE_SIZE)


def _parameters(hashes: Iterable[str]) -> list[str]:
    found = (_PARAMETERS.match(hash) for hash in hashes)
    return [match[0] for match in found if match]
