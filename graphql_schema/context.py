"""What a resolver finds in ``info.context``."""

import asyncio
from dataclasses import dataclass

import strawberry

from db.engine import Database
from domain.callers import Account, Callers
from domain.clients import Client
from domain.errors import Unauthenticated
from domain.gate import Gate
from domain.tokens import AccessTokens, Caller
from graphql_schema.loaders import Loaders


@dataclass(slots=True, kw_only=True)
class Context:
    """The house's services and the caller, for one HTTP request or one WebSocket.

    It holds the session factory and no session: sibling fields run at the same time, and a session serves one
    piece of work. Nothing here does I/O until a field asks for the viewer.
    """

    gate: Gate
    callers: Callers
    tokens: AccessTokens
    client: Client
    bearer: str | None
    request_id: str
    #: A WebSocket outlives its token and the viewer's row, so nothing is remembered there.
    is_socket: bool = False
    #: What a WebSocket client sent with ``connection_init``; Strawberry sets it.
    connection_params: dict[str, object] | None = None
    _caller: Caller | None = None
    _viewer: asyncio.Future[Account] | None = None
    _loaders: Loaders | None = None

    @property
    def database(self) -> Database:
        return self.gate.database

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.database)
        return self._loaders

    def caller(self) -> Caller:
        """Who calls, as their token says; whether their session goes on, the domain asks the database. Raises
        Unauthenticated, or TokenExpired."""
        if self._caller is not None:
            return self._caller
        if self.bearer is None:
            raise Unauthenticated
        caller = self.tokens.read(self.bearer).caller
        if not self.is_socket:
            self._caller = caller
        return caller

    async def viewer(self) -> Account:
        """The caller's account, read when a field first asks and once a request. Raises as ``caller`` does, and
        SessionEnded."""
        if self._viewer is None or self.is_socket:
            self._viewer = self.callers.account(self.caller())
        return await self._viewer


Info = strawberry.Info[Context, None]
