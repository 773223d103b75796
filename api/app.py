"""The application, assembled from the settings."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api import (
    browser_pages,
    health,
    introspection,
    jwks,
    metadata,
    revocation,
    token,
    userinfo,
)
from api.dependencies import ClientCredential, Services
from api.envelope import Envelope
from api.errors import on_http_exception
from api.graphql import GraphQLApp
from api.housekeeping import pruning, watching
from api.key_folder import readable_by_others
from api.key_watch import KeyWatch
from api.logs import keep_secrets_out_of_logs
from api.priority import give_way
from api.security_headers import SecurityHeaders
from db import migrations
from db.engine import PATIENCE, Database, create_engine, is_away, reason
from domain import passwords
from domain.callers import Callers
from domain.clients import name_of
from domain.gate import Gate
from domain.lifetimes import Lifetimes
from domain.passwords import Passwords
from domain.throttle import Ceiling, Ceilings, Throttle
from domain.tokens import AccessTokens
from graphql_schema.limits import Limits
from graphql_schema.schema import Schema
from settings import Settings, load_settings

logger = logging.getLogger("gatehouse")

GRAPHQL = "/graphql"


class SchemaOutOfDate(Exception):
    """The database is not what this code was written for, and is not ours to change unasked."""


class App(FastAPI):
    """FastAPI's, with a short way to the busiest path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._short_ways: dict[str, ASGIApp] = {}

    def shorten_way(self, path: str, app: ASGIApp) -> None:
        """Serve a path through the middleware that has been added, and past all else that FastAPI and Starlette do for a
        request. (They took a fifth of the time of `me`.)"""
        for middleware, args, kwargs in reversed(self.user_middleware):
            app = middleware(app, *args, **kwargs)
        self._short_ways[path] = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._short_ways.get(scope.get("path", ""))
        # Under a prefix the router knows what is left of the path.
        if app is None or scope.get("root_path"):
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await app(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application; also what ``uvicorn --factory api.app:create_app`` calls.

    Raises SystemExit, with a sentence that says what to mend, for settings that cannot be used.
    """
    settings = settings or load_settings()
    keep_secrets_out_of_logs()
    services = create_services(settings)
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
            await _prepare_if_it_is_there(services.engine)
            loaded = asyncio.get_running_loop().run_in_executor(None, _load_what_is_slow)
            # What has been made by then stays. Looking through all of it for garbage again and again was a quarter of the
            # time of `me`.
            loaded.add_done_callback(lambda _: gc.freeze())
            async with (
                pruning(services.gate.database, settings.retention),
                watching(services.key_watch),
            ):
                yield
            await loaded
        finally:
            await services.close()

    app = App(
        title="Gatehouse",
        version=version("gatehouse"),
        summary="A GraphQL accounts API. The graph is at /graphql; here is what OAuth2 tools and probes use.",
        lifespan=lifespan,
        # `browser_pages` serves one, and no CDN.
        docs_url=None,
        redoc_url=None,
        # What generated clients call the routes.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
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
        graphiql=settings.allows("graphiql"),
        allowed_origins=settings.cors_origins,
    )
    app.router.routes += [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, graphql),
        *browser_pages.routes(),
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
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.shorten_way(GRAPHQL, graphql)
    return app


def _load_what_is_slow() -> None:
    """What the start does not wait for, and no request should either."""
    name_of("a browser")
    passwords.problems("a password")


def create_services(settings: Settings) -> Services:
    engine = create_engine_from(settings)
    try:
        gate = _create_gate(settings, engine)
        key_watch = KeyWatch(settings.signing_keys_dir, settings.algorithm)
        return Services(
            engine=engine,
            gate=gate,
            callers=Callers(gate.database),
            tokens=AccessTokens(
                secret=settings.secret_key.get_secret_value(),
                algorithm=settings.algorithm,
                lifetime=settings.access_token_lifetime,
                issuer=settings.issuer,
                fallbacks=tuple(
                    secret.get_secret_value() for secret in settings.secret_key_fallbacks
                ),
                ring=key_watch.ring,
            ),
            key_watch=key_watch,
            introspection_client=_introspection_client(settings),
        )
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


def _create_gate(settings: Settings, engine: AsyncEngine) -> Gate:
    return Gate(
        database=Database(engine),
        passwords=Passwords(
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time_cost,
            parallelism=settings.argon2_parallelism,
            threads=settings.hashing_threads,
            on_each_thread=give_way,
        ),
        throttle=Throttle(
            Ceilings(
                account=_ceiling(settings, "account", "login_limit_per_account"),
                network=_ceiling(settings, "network", "login_limit_per_network"),
                registration=_ceiling(settings, "registration", "register_limit_per_network"),
                refresh=_ceiling(settings, "refresh", "refresh_limit_per_network"),
            ),
            settings.rate_limit_storage_url.get_secret_value(),
        ),
        lifetimes=Lifetimes(
            idle=timedelta(days=settings.session_idle_days),
            absolute=timedelta(days=settings.session_absolute_days),
            grace=timedelta(seconds=settings.refresh_grace_seconds),
        ),
    )


def _ceiling(settings: Settings, name: str, setting: str) -> Ceiling:
    try:
        return Ceiling.of(name, getattr(settings, setting))
    except ValueError:
        raise ValueError(
            f"{setting.upper()} takes a text such as 5/minute;20/hour;100/day."
        ) from None


def _introspection_client(settings: Settings) -> ClientCredential | None:
    id, secret = settings.introspection_client_id, settings.introspection_client_secret
    return ClientCredential(id, secret.get_secret_value()) if id and secret else None


def create_engine_from(
    settings: Settings, *, time_limit: timedelta | None = PATIENCE
) -> AsyncEngine:
    try:
        return create_engine(settings.database_url.get_secret_value(), time_limit=time_limit)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


async def prepare_database(engine: AsyncEngine) -> None:
    """Bring an SQLite file up to date; on PostgreSQL, where a schema is changed on purpose, only look.

    Raises SchemaOutOfDate, and what the driver raises when the database is away.
    """
    if engine.dialect.name == "sqlite":
        await migrations.upgrade(engine)
        return
    async with engine.connect() as connection:
        if not await connection.run_sync(migrations.is_current):
            raise SchemaOutOfDate(
                "The database's schema is not up to date: run `gatehouse migrate`."
            )


async def _prepare_if_it_is_there(engine: AsyncEngine) -> None:
    """A PostgreSQL that is away keeps nothing from starting: it may be back in a moment, and until then every answer
    says that it is away."""
    try:
        await prepare_database(engine)
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise
        logger.warning("The database cannot be reached: %s", reason(error))


def may_come_back(engine: AsyncEngine, error: SQLAlchemyError) -> bool:
    """Whether to start all the same. A file that cannot be opened now will not open later by itself."""
    return engine.dialect.name != "sqlite" and is_away(error)
