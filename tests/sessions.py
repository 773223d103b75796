"""Starting, refreshing and listing the sessions of a registered user."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from db.models import LoginSession
from domain.services import Services
from tests.operations import CHANGE_PASSWORD, LOGIN, ME, REFRESH, SESSIONS
from tests.users import GraphQL, RegisteredUser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"

# The columns of a session with secrets, which are not loaded by default.
SECRET_COLUMNS = (undefer(LoginSession.refresh_hash), undefer(LoginSession.rotations))


async def log_in(graphql: GraphQL, user: RegisteredUser) -> RegisteredUser:
    """Return the same user with the tokens of a new session."""
    answer = await graphql(LOGIN, username=user.username, password=user.password)
    token = answer.data["login"]
    return replace(user, token=token["accessToken"], refresh_token=token["refreshToken"])


async def change_password(graphql: GraphQL, user: RegisteredUser, new: str) -> RegisteredUser:
    """Return the same user with the new password and the tokens of the new session."""
    answer = await graphql(CHANGE_PASSWORD, by=user, current=user.password, new=new)
    assert answer.errors == []
    token = answer.data["changePassword"]
    return replace(
        user, password=new, token=token["accessToken"], refresh_token=token["refreshToken"]
    )


async def refresh(graphql: GraphQL, token: str) -> str:
    """Return the refresh token that succeeds this one."""
    answer = await graphql(REFRESH, token=token)
    assert answer.errors == []
    successor: str = answer.data["refresh"]["refreshToken"]
    return successor


async def move_rotations_back(services: Services, by: timedelta) -> None:
    """Make every rotation of a refresh token look older by this much."""
    async with services.database.writing() as session:
        for current in await session.scalars(select(LoginSession).options(*SECRET_COLUMNS)):
            current.rotations = [
                {**rotation, "at": rotation["at"] - by.total_seconds()}
                for rotation in current.rotations
            ]


async def age_proofs(services: Services, by: timedelta = timedelta(hours=1)) -> None:
    """Make every session look as if its user had proved who they are longer ago by this much."""
    async with services.database.writing() as session:
        for current in await session.scalars(select(LoginSession)):
            current.proved_at -= by


async def sessions(graphql: GraphQL, user: RegisteredUser) -> list[dict[str, Any]]:
    """Return the active sessions of a user, the last used first."""
    answer = await graphql(SESSIONS, by=user)
    assert answer.errors == []
    found: list[dict[str, Any]] = answer.data["me"]["sessions"]
    return found


async def is_signed_in(graphql: GraphQL, user: RegisteredUser) -> bool:
    """Return whether both tokens of the user work. Fails if only one of them does."""
    me = await graphql(ME, by=user)
    refreshed = await graphql(REFRESH, token=user.refresh_token)
    codes = [answer.code for answer in (me, refreshed) if answer.errors]
    assert codes in ([], ["UNAUTHENTICATED"] * 2)
    return not codes
