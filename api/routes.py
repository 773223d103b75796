"""Starlette's routes that record the match in ``scope["route"]``, as FastAPI's do, and FastAPI's
routes for HEAD, which Starlette's have."""

from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute
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


def head_routes(router: APIRouter) -> APIRouter:
    """Return routes that respond to HEAD as those of a router respond to GET (RFC 9110 section
    9.1). OpenAPI does not list them, and the server omits the body."""
    heads = APIRouter()
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods == {"GET"}:
            head = copy(route)
            head.methods = {"HEAD"}
            head.include_in_schema = False
            heads.routes.append(head)
    return heads
