"""The context of an operation, ``info.context`` in resolvers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import OperationDefinitionNode, OperationType

from db.database import Database
from domain.access_tokens.tokens import Caller, Claims
from domain.accounts.current_user import CurrentUser, CurrentUserLoader
from domain.devices import Device
from domain.errors import Unauthenticated
from domain.services import Services
from domain.subscriptions import Connection, Subscriber, Subscriptions
from graphql_schema.browser_session import BrowserSession
from graphql_schema.loaders import Loaders
from graphql_schema.response_size import ResponseSize, ResponsesUnderWay


@dataclass(slots=True, kw_only=True)
class Context:
    """The services, the device and the caller of one operation.

    It holds the database and never a session, because sibling fields run at the same time. It does
    no I/O until a field asks for the current user.
    """

    services: Services
    current_users: CurrentUserLoader
    responses: ResponsesUnderWay
    subscriptions: Subscriptions
    device: Device
    bearer: str | None
    request_id: str
    #: None, unless the client asked for it and its origin is allowed. Over a WebSocket always None.
    browser_session: BrowserSession | None = None
    #: The token of a captcha. Over a WebSocket always None.
    captcha_token: str | None = field(default=None, repr=False)
    #: The WebSocket or the event stream that results are sent over, if it is one.
    connection: Connection | None = None
    #: Runs the execution for one event of a subscription in its turn.
    in_turn: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]] | None = None
    #: The size of the operation that a subscription executes.
    fields: int = 0
    #: What a WebSocket client sent with ``connection_init``. Strawberry sets it.
    connection_params: dict[str, object] | None = None
    #: What is known of the operation so far, for logs, metrics and traces.
    operation: OperationDefinitionNode | None = None
    root_fields: Sequence[str] = ()
    codes: Sequence[str] = ()
    #: The size of the response. Not an argument, so that each operation of a WebSocket has its own.
    response: ResponseSize = field(init=False)
    _claims: Claims | None = None
    _current_user: asyncio.Future[CurrentUser] | None = None
    _loaders: Loaders | None = None

    def __post_init__(self) -> None:
        self.response = ResponseSize(self.responses, self.device.network)

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def is_subscription(self) -> bool:
        return self.operation is not None and (
            self.operation.operation is OperationType.SUBSCRIPTION
        )

    @property
    def user_id(self) -> str | None:
        """The user of the access token, if a resolver has read it."""
        return str(self._claims.caller.user_id) if self._claims else None

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.database)
        return self._loaders

    def release(self) -> None:
        """Let go of the response, when the client has it or has left.

        Cancelled timers of asyncio's event loop keep their context for the rest of their time, and
        the loaders keep the last values that they have read.
        """
        self.response.release()
        self._loaders = None

    def renew(self) -> None:
        """Let go of the response to one event of a subscription, before the next one.

        The claims of the token stay: it may expire while the stream runs, which depends on the
        session.
        """
        self.release()
        self.response = ResponseSize(self.responses, self.device.network)
        self._current_user = None

    def caller(self, *, needs_second_factor: bool = True) -> Caller:
        """Return the caller that the access token names. The domain checks whether their session is
        active.

        Where the server requires a second factor, only what sets one up, reads the caller or ends
        sessions does without.

        Raises Unauthenticated, TokenExpired or SecondFactorSetupRequired.
        """
        if self._claims is None:
            if self.bearer is None:
                raise Unauthenticated
            self._claims = self.services.access_tokens.read(self.bearer)
        if needs_second_factor:
            self.services.require_second_factor(self._claims.authentication)
        return self._claims.caller

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[Subscriber]:
        """Yield a subscriber who is told what happens to the caller while the block runs.

        Raises what ``current_user`` raises, or QuotaExceeded.
        """
        caller = self.caller(needs_second_factor=False)
        assert self.connection is not None  # only what can last executes subscriptions
        async with self.subscriptions.subscribe(
            caller, self.connection, fields=self.fields
        ) as subscriber:
            # After it has subscribed: it is told if the session ends meanwhile.
            subscriber.begin(await self.current_user())
            yield subscriber

    async def current_user(self) -> CurrentUser:
        """Return the caller's user, read once for each operation.

        Raises what ``caller`` raises, or SessionEnded.
        """
        if self._current_user is None:
            self._current_user = self.current_users.load(self.caller(needs_second_factor=False))
        return await self._current_user


Info = strawberry.Info[Context, None]
