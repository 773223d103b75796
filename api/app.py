"""The application, assembled from the settings."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api import health, pages
from api.background import pruning, watching
from api.database import prepare_if_it_is_there
from api.errors import on_http_exception
from api.graphql.http import GraphQLApp
from api.middleware.request_limits import Envelope
from api.middleware.security_headers import SecurityHeaders
from api.oauth2 import introspection, jwks, metadata, revocation, token, userinfo
from api.routes import Route, WebSocketRoute
from api.services import create_services
from api.signing_keys.files import readable_by_others
from api.telemetry import logs, metrics, tracing
from api.telemetry.request import Exchanges, Watch
from domain import passwords
from domain.devices import name_of
from domain.observer import SILENT
from graphql_schema.engine.limits import Limits
from graphql_schema.schema import Schema
from settings import Settings, load_settings

logger = logging.getLogger("gatehouse")

GRAPHQL = "/graphql"


class App(FastAPI):
    """FastAPI's, with a short way to the busiest path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._short_ways: dict[str, tuple[Route, ASGIApp]] = {}

    def shorten_way(self, path: str, app: ASGIApp) -> None:
        """Serve a path through the middleware that has been added, and past all else that FastAPI and Starlette do for a
        request. (They took a fifth of the time of `me`.)"""
        route = Route(path, app)
        for middleware, args, kwargs in reversed(self.user_middleware):
            app = middleware(app, *args, **kwargs)
        self._short_ways[path] = route, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        short_way = self._short_ways.get(scope.get("path", ""))
        # Under a prefix the router knows what is left of the path.
        if short_way is None or scope.get("root_path"):
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            scope["route"], app = short_way
            await app(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application; also what ``uvicorn --factory api.app:create_app`` calls.

    Raises SystemExit, with a sentence that says what to mend, for settings that cannot be used.
    """
    settings = settings or load_settings()
    if not logs.is_configured():
        logs.configure(settings)
    logs.keep_secrets_out_of_logs()
    counts = None if settings.metrics_port is None else metrics.of_this_process()
    services = create_services(settings, counts or SILENT)
    traces = tracing.from_environment()
    if traces:
        traces.follow(*services.gate.database.engines)
    if settings.environment == "production" and settings.public_url is None:
        logger.warning(
            "Without PUBLIC_URL, tokens and OAuth2 clients are told %s.", settings.issuer
        )
    if readable_by_others(settings.signing_keys_dir):
        logger.warning(
            "Anyone on this machine may read the keys in %s: chmod them to 600.",
            settings.signing_keys_dir,
        )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await prepare_if_it_is_there(services.engine)
            loaded = asyncio.get_running_loop().run_in_executor(None, _load_what_is_slow)
            # What has been made by then stays. Looking through all of it for garbage again and again was a quarter of the
            # time of `me`.
            loaded.add_done_callback(lambda _: gc.freeze())
            async with (
                pruning(services.gate.database, settings.retention),
                watching(services.key_watch),
                counts.sampling(services) if counts else nullcontext(),
            ):
                yield
            await loaded
        finally:
            await services.close()
            if traces:
                await traces.close()

    app = App(
        title="Gatehouse",
        version=version("gatehouse"),
        summary="A GraphQL accounts API. The graph is at /graphql; here is what OAuth2 tools and probes use.",
        lifespan=lifespan,
        # `tracing` says why.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        # `browser_pages` serves one, and no CDN.
        docs_url=None,
        redoc_url=None,
        # What generated clients call the routes.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    watch = Watch(
        [logs.log_exchange, *([counts.exchange_ended] if counts else [])],
        trace=traces.trace if traces else None,
    )
    graphql = GraphQLApp(
        Schema(
            Limits(
                depth=settings.max_query_depth,
                aliases=settings.max_query_aliases,
                tokens=settings.max_query_tokens,
                cost=settings.max_query_cost,
            ),
            deadline=settings.request_deadline,
            introspection=settings.allows("introspection"),
            suggestions=settings.allows("suggestions"),
        ),
        watch,
        graphiql=settings.allows("graphiql"),
        allowed_origins=settings.cors_origins,
    )
    app.router.routes += [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, graphql),
        *pages.routes(),
    ]
    for routes in (token, revocation, introspection, metadata, jwks, userinfo, health):
        app.include_router(routes.router)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_middleware(Envelope, deadline=settings.request_deadline)
    # Around the envelope, so that a browser may read the answers to errors too.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Exchanges, watch)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.shorten_way(GRAPHQL, graphql)
    return app


def _load_what_is_slow() -> None:
    """What the start does not wait for, and no request should either."""
    name_of("a browser")
    passwords.problems("a password")
