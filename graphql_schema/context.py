"""What a resolver finds in ``info.context``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from graphql import OperationDefinitionNode

from db.database import Database
from domain.access_tokens.tokens import AccessTokens, Caller
from domain.accounts.current_user import Account, Callers
from domain.devices import Client
from domain.errors import Unauthenticated
from domain.services import Gate
from graphql_schema.loaders import Loaders


@dataclass(slots=True, kw_only=True)
class Context:
    """The house's services and the caller, for one operation.

    It holds the session factory and no session: sibling fields run at the same time, and a session serves one
    piece of work. Nothing here does I/O until a field asks for the viewer.
    """

    gate: Gate
    callers: Callers
    tokens: AccessTokens
    client: Client
    bearer: str | None
    request_id: str
    #: What a WebSocket client sent with ``connection_init``; Strawberry sets it.
    connection_params: dict[str, object] | None = None
    #: What is known of the operation so far, for whoever watches: itself, its fields of Query or Mutation, and the codes
    #: of its errors.
    operation: OperationDefinitionNode | None = None
    root_fields: Sequence[str] = ()
    codes: Sequence[str] = ()
    _caller: Caller | None = None
    _viewer: asyncio.Future[Account] | None = None
    _loaders: Loaders | None = None

    @property
    def database(self) -> Database:
        return self.gate.database

    @property
    def user_id(self) -> str | None:
        """Whose token was read, if any was."""
        return str(self._caller.user_id) if self._caller else None

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.database)
        return self._loaders

    def caller(self) -> Caller:
        """Who calls, as their token says; whether their session goes on, the domain asks the database. Raises
        Unauthenticated, or TokenExpired."""
        if self._caller is None:
            if self.bearer is None:
                raise Unauthenticated
            self._caller = self.tokens.read(self.bearer).caller
        return self._caller

    async def viewer(self) -> Account:
        """The caller's account, read when a field first asks and once an operation. Raises as ``caller`` does, and
        SessionEnded."""
        if self._viewer is None:
            self._viewer = self.callers.account(self.caller())
        return await self._viewer


Info = strawberry.Info[Context, None]
