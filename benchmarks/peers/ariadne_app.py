"""Ariadne, with an ORM session for each request."""

import os
from typing import Any
from uuid import UUID

from ariadne import QueryType, gql, make_executable_schema
from ariadne.asgi import GraphQL
from jose import jwt
from sqlalchemy import String, Uuid, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    os.environ["PEER_DATABASE_URL"], pool_size=int(os.environ["PEER_POOL_SIZE"]), max_overflow=0
)
sessions = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    username: Mapped[str] = mapped_column(String)
    email: Mapped[str] = mapped_column(String)


query = QueryType()


@query.field("me")
async def me(_: Any, info: Any) -> User | None:
    bearer = info.context["request"].headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(bearer, os.environ["SECRET_KEY"], ["HS256"], audience="gatehouse")
    async with sessions() as session:
        found = await session.scalars(select(User).where(User.id == UUID(claims["sub"])))
        return found.one_or_none()


types = gql("""
type User { id: ID!  username: String!  email: String! }
type Query { me: User }
""")
app = GraphQL(make_executable_schema(types, query))
