"""Recovery codes: each replaces a lost authenticator app once.

A code has 120 bits, so a plain hash of it is stored (NIST SP 800-63B-4 section 3.1.2.2 wants a
password hash below 112).
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import RecoveryCode
from domain.ids import new_id

NUMBER = 10

# Crockford's base32 has neither I, L, O nor U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans("ILO", "110")
_LENGTH = 24
_GROUP = 4

_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")

# With hyphens and blanks.
_MAX_TYPED = 128


def parse(typed: str) -> str | None:
    """Return a code as it was made, or None if the text has another format."""
    if len(typed) > _MAX_TYPED or not typed.isascii():
        return None
    code = re.sub(r"[\s-]", "", typed).upper().translate(_LOOK_ALIKES)
    return code if _CODE.fullmatch(code) else None


async def replace(session: AsyncSession, user_id: UUID) -> list[str]:
    """Make new codes, which replace all earlier ones, and return them as people write them down.
    They cannot be read again."""
    await session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user_id)
        .execution_options(synchronize_session=False)
    )
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(NUMBER)]
    session.add_all(
        RecoveryCode(id=new_id(), user_id=user_id, code_hash=_hash(code)) for code in codes
    )
    return [_grouped(code) for code in codes]


async def use(session: AsyncSession, user_id: UUID, code: str) -> bool:
    """Use a parsed code, and return whether it was one that is left."""
    used = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=datetime.now(UTC))
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    )
    return used.one_or_none() is not None


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
