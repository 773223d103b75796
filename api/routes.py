"""Starlette's routes that record the match in ``scope["route"]``, as FastAPI's do."""

from starlette import routing
from starlette.routing import Match
from starlette.types import Scope


class _RecordsMatch:
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)  # type: ignore[misc]
        return match, {**found, "route": self}


class Route(_RecordsMatch, routing.Route):
    pass


class WebSocketRoute(_RecordsMatch, routing.WebSocketRoute):
    pass


class Mount(_RecordsMatch, routing.Mount):
    pass
