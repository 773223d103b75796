"""Exports of all data about a user."""

import json
from typing import Any

from strawberry.scalars import JSON

from graphql_schema.context import Info


def exported(data: dict[str, Any], info: Info) -> JSON:
    """Return an export as it is. It counts as a large response. Raises Overloaded."""
    info.context.response.reserve(len(json.dumps(data, ensure_ascii=False).encode()))
    return JSON(data)
