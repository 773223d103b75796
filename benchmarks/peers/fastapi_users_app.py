"""fastapi-users: GET /users/me and POST /login with its JWT strategy and its SQLAlchemy adapter.

At startup it fills its table from Gatehouse's. It verifies passwords with the same parameters.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Uuid, column, delete, insert, select, table
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine(
    os.environ["PEER_DATABASE_URL"], pool_size=int(os.environ["PEER_POOL_SIZE"]), max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def database(session: Annotated[AsyncSession, Depends(session)]) -> AsyncIterator[Any]:
    yield SQLAlchemyUserDatabase(session, User)


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    pass


# OWASP Password Storage Cheat Sheet, "Argon2id".
passwords = PasswordHelper(
    PasswordHash((Argon2Hasher(memory_cost=19456, time_cost=2, parallelism=1),))
)


async def manager(database: Annotated[Any, Depends(database)]) -> AsyncIterator[Manager]:
    yield Manager(database, passwords)


backend = AuthenticationBackend(
    name="jwt",
    transport=BearerTransport(tokenUrl="token"),
    # The same access tokens as for the other targets.
    get_strategy=lambda: JWTStrategy(
        secret=os.environ["SECRET_KEY"], lifetime_seconds=1800, token_audience=["gatehouse"]
    ),
)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(delete(User))
        rows = await connection.execute(
            select(column("id", Uuid), column("email"), column("password_hash")).select_from(
                table("users")
            )
        )
        await connection.execute(
            insert(User),
            [
                {"id": id, "email": email, "hashed_password": password_hash}
                for id, email, password_hash in rows
            ],
        )
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(
    users.get_users_router(schemas.BaseUser[uuid.UUID], schemas.BaseUserUpdate), prefix="/users"
)
app.include_router(users.get_auth_router(backend))
