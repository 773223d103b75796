"""Health checks."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.dependencies import services
from api.errors import OAuthError
from db import migrations
from db.database import is_read_only
from domain.errors import Unavailable

router = APIRouter(prefix="/health", tags=["Health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/live", summary="Check that the process runs")
async def live() -> Health:
    return Health()


@router.get(
    "/ready",
    summary="Check that the database responds, accepts writes and has the current schema",
    responses={503: {"model": OAuthError}},
)
async def ready(request: Request) -> Health:
    async with services(request).database.reading() as session:
        connection = await session.connection()
        if not await connection.run_sync(migrations.is_current):
            raise Unavailable("The database's schema is not up to date: run `gatehouse migrate`.")
        if await is_read_only(session):
            raise Unavailable("The database is a read-only standby.")
    return Health()
