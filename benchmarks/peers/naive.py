"""Strawberry and FastAPI as a tutorial wires them: the router, and a session of the ORM for each request."""

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry
from fastapi import Depends, FastAPI, Header
from jose import jwt
from sqlalchemy import String, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry.fastapi import GraphQLRouter

engine = create_async_engine(os.environ["PEER_DATABASE_URL"])
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class UserRow(Base):
    __tablename__ = "users"

    id: Mapped[Any] = mapped_column(Uuid, primary_key=True)
    username: Mapped[str] = mapped_column(String)
    email: Mapped[str] = mapped_column(String)


@strawberry.type
class User:
    id: strawberry.ID
    username: str
    email: str


@strawberry.type
class Query:
    @strawberry.field
    async def me(self, info: strawberry.Info) -> User | None:
        claims = jwt.decode(
            info.context["bearer"], os.environ["SECRET_KEY"], ["HS256"], audience="gatehouse"
        )
        found = await info.context["session"].scalars(
            select(UserRow).where(UserRow.id == claims["sub"])
        )
        user = found.one_or_none()
        return user and User(
            id=strawberry.ID(str(user.id)), username=user.username, email=user.email
        )


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def get_context(
    session: Annotated[AsyncSession, Depends(session)], authorization: Annotated[str, Header()]
) -> dict[str, Any]:
    return {"session": session, "bearer": authorization.removeprefix("Bearer ")}


app = FastAPI()
app.include_router(
    GraphQLRouter(strawberry.Schema(Query), context_getter=get_context), prefix="/graphql"
)
