"""Responses of models."""

from pydantic import BaseModel
from starlette.responses import Response


def json_response(model: BaseModel, *, exclude_none: bool = False) -> Response:
    """Return a model as JSON. FastAPI would validate it again, which takes longer."""
    return Response(model.model_dump_json(exclude_none=exclude_none), media_type="application/json")
