"""What a request needs: the services of this process, and who is calling."""

from dataclasses import dataclass, field

from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from api.signing_keys.watcher import KeyWatch
from api.telemetry.request import current
from domain.access_tokens.tokens import AccessTokens, Caller
from domain.accounts.current_user import Callers
from domain.devices import Client
from domain.errors import Unauthenticated
from domain.services import Gate
from graphql_schema.context import Context

# For the Authorize button of /docs; the token itself is read by `bearer_token`, for all of the house.
documented_bearer = OAuth2PasswordBearer(tokenUrl="token", refreshUrl="token", auto_error=False)


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """What a program that is no person authenticates with (RFC 6749 section 2.3.1)."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, by ``create_app``."""

    engine: AsyncEngine
    gate: Gate
    callers: Callers
    tokens: AccessTokens
    key_watch: KeyWatch
    introspection_client: ClientCredential | None = None

    async def close(self) -> None:
        self.gate.passwords.close()
        await self.gate.throttle.close()
        await self.gate.database.close()


def services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found


def client_of(connection: HTTPConnection) -> Client:
    """Where a request or a WebSocket comes from. Behind TRUSTED_PROXIES that is what they have forwarded."""
    host = connection.client.host if connection.client else None
    return Client.of(host, connection.headers.get("user-agent"))


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token in the Authorization header of a request or a WebSocket handshake, or None."""
    return token_in(connection.headers.get("authorization"))


def caller_of(connection: HTTPConnection) -> Caller:
    """Whom the token of a request speaks for. Raises Unauthenticated, or TokenExpired."""
    bearer = bearer_token(connection)
    if bearer is None:
        raise Unauthenticated
    caller = services(connection).tokens.read(bearer).caller
    current().user_id = str(caller.user_id)
    return caller


def graphql_context(connection: HTTPConnection) -> Context:
    """What the resolvers of a request find in their ``info.context``, or those of a WebSocket. No I/O here."""
    found = services(connection)
    return Context(
        gate=found.gate,
        callers=found.callers,
        tokens=found.tokens,
        client=client_of(connection),
        bearer=bearer_token(connection),
        request_id=current().request_id,
    )


def token_in(authorization: object) -> str | None:
    """The token in ``Bearer <token>`` (RFC 6750 section 2.1), or None."""
    if not isinstance(authorization, str):
        return None
    # RFC 9110 section 11.1: the scheme's case does not matter.
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
