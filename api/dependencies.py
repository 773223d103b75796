"""What a request needs: the services of this process, and who is calling."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from db.engine import Database
from domain.passwords import Passwords
from domain.tokens import AccessTokens


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, by ``create_app``."""

    engine: AsyncEngine
    database: Database
    passwords: Passwords
    tokens: AccessTokens

    async def close(self) -> None:
        self.passwords.close()
        await self.engine.dispose()


def services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found


def request_id(connection: HTTPConnection) -> str:
    """What the answer's header ``X-Request-ID`` and the log call this request."""
    found: str = connection.scope.get("state", {}).get("request_id", "-")
    return found


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token in the Authorization header of a request or a WebSocket handshake, or None."""
    return token_in(connection.headers.get("authorization"))


def token_in(authorization: object) -> str | None:
    """The token in ``Bearer <token>`` (RFC 6750 section 2.1), or None."""
    if not isinstance(authorization, str):
        return None
    # RFC 9110 section 11.1: the scheme's case does not matter.
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
