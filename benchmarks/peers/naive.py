"""Strawberry and FastAPI as in a tutorial.

It has the GraphQL router, an ORM session for each request, and a data loader for authors.
"""

import base64
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI, Header
from jose import jwt
from sqlalchemy import DateTime, ForeignKey, String, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry.dataloader import DataLoader
from strawberry.fastapi import GraphQLRouter

engine = create_async_engine(
    os.environ["PEER_DATABASE_URL"], pool_size=int(os.environ["PEER_POOL_SIZE"]), max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class UserRow(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    username: Mapped[str] = mapped_column(String)
    email: Mapped[str] = mapped_column(String)
    password_hash: Mapped[str] = mapped_column(String)


class PostRow(Base):
    __tablename__ = "posts"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String)
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@strawberry.type
class User:
    id: strawberry.ID
    username: str
    email: str

    @classmethod
    def of(cls, row: UserRow) -> "User":
        return cls(id=strawberry.ID(str(row.id)), username=row.username, email=row.email)


@strawberry.type
class Post:
    id: strawberry.ID
    title: str
    content: str
    created_at: datetime
    author_id: strawberry.Private[UUID]

    @strawberry.field
    async def author(self, info: strawberry.Info) -> User:
        return User.of(await info.context["authors"].load(self.author_id))

    @classmethod
    def of(cls, row: PostRow) -> "Post":
        return cls(
            id=strawberry.ID(str(row.id)),
            title=row.title,
            content=row.content,
            created_at=row.created_at,
            author_id=row.author_id,
        )


@strawberry.type
class Edge:
    cursor: str
    node: Post


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Connection:
    edges: list[Edge]
    page_info: PageInfo


def cursor(id: UUID) -> str:
    return base64.b64encode(id.bytes).decode()


@strawberry.type
class Query:
    @strawberry.field
    async def me(self, info: strawberry.Info) -> User | None:
        claims = jwt.decode(
            info.context["bearer"], os.environ["SECRET_KEY"], ["HS256"], audience="gatehouse"
        )
        found = await info.context["session"].scalars(
            select(UserRow).where(UserRow.id == UUID(claims["sub"]))
        )
        user = found.one_or_none()
        return user and User.of(user)

    @strawberry.field
    async def posts(
        self, info: strawberry.Info, first: int = 20, after: str | None = None
    ) -> Connection:
        newest = select(PostRow).order_by(PostRow.id.desc()).limit(first + 1)
        if after is not None:
            newest = newest.where(PostRow.id < UUID(bytes=base64.b64decode(after)))
        rows = (await info.context["session"].scalars(newest)).all()
        edges = [Edge(cursor=cursor(row.id), node=Post.of(row)) for row in rows[:first]]
        return Connection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None
            ),
        )


@strawberry.type
class Token:
    access_token: str


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def login(self, info: strawberry.Info, username: str, password: str) -> Token:
        found = await info.context["session"].scalars(
            select(UserRow).where(UserRow.username == username)
        )
        user = found.one()
        PasswordHasher().verify(user.password_hash, password)
        claims = {"sub": str(user.id), "aud": "gatehouse", "exp": time.time() + 1800}
        return Token(access_token=jwt.encode(claims, os.environ["SECRET_KEY"], "HS256"))


async def load_authors(session: AsyncSession, ids: Sequence[UUID]) -> list[UserRow]:
    """Load the authors in the session of the request.

    No other query uses the session meanwhile: the page has been read before its authors.
    """
    found = await session.scalars(select(UserRow).where(UserRow.id.in_(ids)))
    users = {user.id: user for user in found}
    return [users[id] for id in ids]


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def get_context(
    session: Annotated[AsyncSession, Depends(session)],
    authorization: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    return {
        "session": session,
        "authors": DataLoader(partial(load_authors, session)),
        "bearer": authorization.removeprefix("Bearer "),
    }


app = FastAPI()
app.include_router(
    GraphQLRouter(strawberry.Schema(Query, Mutation), context_getter=get_context), prefix="/graphql"
)
