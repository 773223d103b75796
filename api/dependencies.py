"""What request handlers need: the application's state, the device and the caller."""

from dataclasses import dataclass, field

from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from api.background import Sender
from api.database import SchemaLog
from api.headers import header_of
from api.signing_keys.watcher import KeyReloader
from api.telemetry.request import current
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUserLoader
from domain.devices import Device
from domain.errors import Unauthenticated
from domain.mail import MailRenderer
from domain.services import Services
from domain.subscriptions import Subscriptions
from graphql_schema.context import Context
from graphql_schema.response_size import ResponsesUnderWay

# For the Authorize button of /docs. `bearer_token` reads the token itself, for all routes.
documented_bearer = OAuth2PasswordBearer(tokenUrl="token", refreshUrl="token", auto_error=False)


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """The credential of an OAuth2 client (RFC 6749 section 2.3.1)."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppState:
    """The state of a running application: the domain's services, and what only HTTP needs. Made
    once, by ``create_app``."""

    services: Services
    engine: AsyncEngine
    current_users: CurrentUserLoader
    key_reloader: KeyReloader
    responses: ResponsesUnderWay
    mail_renderer: MailRenderer
    subscriptions: Subscriptions
    schema_log: SchemaLog = field(default_factory=SchemaLog)
    #: What sends the messages of the outbox.
    senders: list[Sender] = field(default_factory=list)
    introspection_client: ClientCredential | None = None


def app_state(connection: HTTPConnection) -> AppState:
    state: AppState = connection.app.state.gatehouse
    return state


def services(connection: HTTPConnection) -> Services:
    return app_state(connection).services


def device_of(connection: HTTPConnection) -> Device:
    """Return the device of a request or a WebSocket. Behind TRUSTED_PROXIES its address is the
    forwarded one."""
    host = connection.client.host if connection.client else None
    return Device.of(
        host,
        header_of(connection.scope, b"user-agent"),
        header_of(connection.scope, b"accept-language"),
    )


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return the token in the Authorization header of a request or a handshake, or None."""
    return token_in(header_of(connection.scope, b"authorization"))


def caller_of(connection: HTTPConnection, *, needs_second_factor: bool = False) -> Caller:
    """Return the caller that the request's token names. What changes an account
    ``needs_second_factor``, where the server requires one, as in the graph.

    Raises Unauthenticated, TokenExpired or SecondFactorSetupRequired.
    """
    bearer = bearer_token(connection)
    if bearer is None:
        raise Unauthenticated
    claims = services(connection).access_tokens.read(bearer)
    current().user_id = str(claims.caller.user_id)
    if needs_second_factor:
        services(connection).require_second_factor(claims.authentication)
    return claims.caller


def graphql_context(connection: HTTPConnection) -> Context:
    """Return the ``info.context`` of a request or a WebSocket. Does no I/O."""
    state = app_state(connection)
    return Context(
        services=state.services,
        current_users=state.current_users,
        responses=state.responses,
        subscriptions=state.subscriptions,
        device=device_of(connection),
        bearer=bearer_token(connection),
        request_id=current().request_id,
    )


def token_in(authorization: object) -> str | None:
    """Return the token in ``Bearer <token>`` (RFC 6750 section 2.1), or None."""
    if not isinstance(authorization, str):
        return None
    # The scheme is case-insensitive (RFC 9110 section 11.1).
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
