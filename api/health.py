"""Health checks."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from api.database import is_read_only
from api.dependencies import app_state
from api.errors import OAuthError
from db import migrations
from db.errors import is_standby
from domain.errors import Unavailable

router = APIRouter(prefix="/health", tags=["Health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/live", summary="Check that the process runs")
async def live() -> Health:
    return Health()


@router.get(
    "/ready",
    summary="Check that the database responds, has a usable schema and is not read-only",
    responses={503: {"model": OAuthError}},
)
async def ready(request: Request) -> Health:
    state = app_state(request)
    try:
        async with state.services.database.reading() as session:
            connection = await session.connection()
            schema = await connection.run_sync(migrations.read_schema)
            schema.require_usable()
            state.schema_log.usable()
            read_only = await connection.run_sync(is_read_only)
    except migrations.SchemaMismatch as error:
        state.schema_log.excluded(error)
        raise Unavailable(str(error)) from None
    except DBAPIError as error:
        if not is_standby(error):
            raise
        read_only = True
    if read_only:
        raise Unavailable("The database is read-only.")
    return Health()
