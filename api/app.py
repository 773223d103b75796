"""The application, assembled from the settings."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api import account_pages, health, mailbox, pages, pictures, related_origins, sign_in
from api.account_pages import Brand
from api.background import (
    learning_costs,
    measuring_replica,
    pruning,
    pruning_pictures,
    pruning_tickets,
    purging,
    reloading_keys,
    sending,
    telling,
)
from api.cookies import HEADER as SESSION_HEADER
from api.cookies import SessionCookies
from api.database import prepare_if_available
from api.dependencies import AppState
from api.errors import on_http_exception
from api.fair_scheduler import FairScheduler
from api.fast_path import App
from api.graphql.http import CAPTCHA_HEADER, GraphQLApp, on_error
from api.graphql.socket_limits import SocketLimits
from api.lifespan import Lifespan
from api.middleware.cors import ListedOriginsMiddleware
from api.middleware.request_context import RequestContextMiddleware
from api.middleware.request_limits import RequestLimitsMiddleware
from api.middleware.security_headers import SecurityHeadersMiddleware
from api.oauth2 import introspection, jwks, metadata, revocation, token, userinfo
from api.routes import Route, WebSocketRoute, head_routes
from api.schema import create_schema
from api.services import create_app_state
from api.signing_keys.files import read_keys, readable_by_others
from api.telemetry import logs, metrics, tracing
from api.telemetry.metrics import Metrics
from api.telemetry.observers import RequestObservers
from api.telemetry.tracing import Tracing
from domain import passwords
from domain.authentication import passkeys
from domain.devices import name_of
from domain.observer import SILENT
from domain.services import Services
from settings import Settings, load_settings

logger = logging.getLogger("gatehouse")

GRAPHQL = "/graphql"

# The headers that this server reads. Browsers ask before they send one to another origin.
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    SESSION_HEADER,
    CAPTCHA_HEADER,
    "X-Request-ID",
    "traceparent",
    "tracestate",
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the ASGI application. ``uvicorn --factory api.app:create_app`` calls it as well.

    It changes nothing of the process, and so does not configure logging.

    Raises SystemExit, with one line that says what to change, for settings that cannot be used.
    """
    settings = settings or load_settings()
    counts = None if settings.metrics_port is None else metrics.of_this_process()
    state = create_app_state(settings, counts or SILENT)
    traces = tracing.from_environment()
    if traces:
        traces.follow(*state.services.database.engines)
    _log_advice(settings)
    observers = RequestObservers(
        [logs.log_request, *([counts.request_ended] if counts else [])],
        trace=traces.trace if traces else None,
    )
    scheduler = FairScheduler()
    graphql = _graphql(settings, observers, scheduler)

    app = App(
        fast_path=Route(GRAPHQL, graphql),
        on_error=on_error,
        prefix=settings.public_path,
        lifespan=Lifespan(lambda: _run(settings, state, counts, traces), state.schema_log),
        title="Gatehouse",
        version=version("gatehouse"),
        summary="A GraphQL accounts API. The graph is at /graphql. These routes are for OAuth2 tools and probes.",
        # `telemetry/tracing.py` says why.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        # `pages` serves one that loads nothing from a CDN.
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.public_path}] if settings.public_path else None,
        # Starlette would redirect to an address made of the Host header.
        redirect_slashes=False,
        # Generated clients name their functions by it.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.gatehouse = state
    app.router.routes += [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, graphql),
        *pages.routes(explorer=settings.allows("graphiql")),
        *(sign_in.routes(settings) if settings.providers else []),
        *(_account_pages(settings, state.services) if settings.account_pages else []),
        *(mailbox.routes(has_key=settings.data_key is not None) if mailbox.is_on(settings) else []),
    ]
    for routes in (
        token,
        revocation,
        introspection,
        metadata,
        jwks,
        userinfo,
        pictures,
        related_origins,
        health,
    ):
        app.include_router(routes.router)
        app.include_router(head_routes(routes.router))
    app.add_exception_handler(HTTPException, on_http_exception)
    if settings.public_path:
        # RFC 8414 section 3.1: before the path of the issuer, and not after it.
        app.add_api_route(
            f"{metadata.WELL_KNOWN}{settings.public_path}",
            metadata.metadata,
            response_model_exclude_none=True,
            include_in_schema=False,
        )
    _add_middleware(app, settings, observers, scheduler)
    return app


def _log_advice(settings: Settings) -> None:
    if settings.environment == "production" and settings.public_url is None:
        logger.warning("PUBLIC_URL is not set: tokens and OAuth2 clients get %s.", settings.issuer)
    # If keys sign, unusable ones have stopped the start.
    for problem in _key_problems(settings.signing_keys_dir):
        logger.warning(problem)


def _key_problems(folder: Path) -> list[str]:
    try:
        _, problems = read_keys(folder)
        if readable_by_others(folder):
            problems.append(
                f"Other users of this machine can read the keys in {folder}: chmod them to 600."
            )
    except OSError as error:
        return [f"The keys in {folder} cannot be read: {error.strerror}."]
    return problems


@asynccontextmanager
async def _run(
    settings: Settings, state: AppState, counts: Metrics | None, traces: Tracing | None
) -> AsyncIterator[None]:
    try:
        await prepare_if_available(state.engine)
        warmed_up = asyncio.get_running_loop().run_in_executor(None, _warm_up, state.services)
        # What exists by then stays. Garbage collection of it was a quarter of the time of `me`.
        warmed_up.add_done_callback(lambda _: gc.freeze())
        async with (
            pruning(state.services.database, settings.retention),
            pruning_tickets(state.services.database),
            pruning_pictures(state.services),
            learning_costs(state.services),
            purging(state.services.database),
            reloading_keys(state.key_reloader),
            sending(state.services.database, state.senders),
            telling(state.subscriptions),
            measuring_replica(state.services.database),
            counts.sampling(state.services, state.subscriptions) if counts else nullcontext(),
        ):
            yield
        await warmed_up
    finally:
        await state.current_users.close()
        await state.services.close()
        if traces:
            await traces.close()


def _graphql(
    settings: Settings, observers: RequestObservers, scheduler: FairScheduler
) -> GraphQLApp:
    try:
        schema = create_schema(settings)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None
    return GraphQLApp(
        schema,
        observers,
        scheduler=scheduler,
        cookies=SessionCookies(settings),
        graphiql=settings.allows("graphiql"),
        allowed_origins=settings.cors_origins,
        socket_limits=SocketLimits(
            per_network=settings.max_websockets_per_network,
            per_process=settings.max_websockets,
        ),
    )


def _account_pages(settings: Settings, services: Services) -> list[BaseRoute]:
    try:
        logo = account_pages.read_logo(settings.brand_logo) if settings.brand_logo else None
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None
    return account_pages.routes(
        Brand(settings.brand_name, settings.brand_color, logo),
        settings.cors_origins,
        sends_mail=settings.mail_is_on,
        requires_verified_email=settings.require_verified_email,
        registration=settings.registration,
        authenticator_apps=settings.data_key is not None,
        requires_second_factor=settings.require_second_factor == "all",
        passkey_domain=settings.relying_party_id,
        providers=services.providers.values(),
        pictures_origin=settings.pictures_origin,
        allows_image_urls=settings.image_urls,
    )


def _add_middleware(
    app: FastAPI, settings: Settings, observers: RequestObservers, scheduler: FairScheduler
) -> None:
    """Add the middleware, the innermost first."""
    app.add_middleware(
        RequestLimitsMiddleware, scheduler=scheduler, deadline=settings.request_deadline
    )
    # Outside of the request limits, so that a browser can read their errors too.
    app.add_middleware(
        ListedOriginsMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[*REQUEST_HEADERS, *settings.cors_headers],
        expose_headers=["Retry-After", "WWW-Authenticate", "X-Request-ID"],
    )
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestContextMiddleware, observers)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))


def _warm_up(services: Services) -> None:
    """Load what neither the start nor the first request should wait for."""
    name_of("a browser")
    passwords.problems("a password")
    if services.relying_party is not None:
        passkeys.warm_up()
