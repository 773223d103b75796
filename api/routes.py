"""Starlette's routes, which say that they have matched as FastAPI's do: in ``scope["route"]``."""

from starlette import routing
from starlette.routing import Match
from starlette.types import Scope


class _Told:
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)  # type: ignore[misc]
        return match, {**found, "route": self}


class Route(_Told, routing.Route):
    pass


class WebSocketRoute(_Told, routing.WebSocketRoute):
    pass


class Mount(_Told, routing.Mount):
    pass
