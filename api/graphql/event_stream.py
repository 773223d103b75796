"""Responses as server-sent events, by the protocol graphql-sse ("distinct connections mode")."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing, suppress
from datetime import timedelta

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from api.background import running
from api.fair_scheduler import FairScheduler
from api.graphql.json_output import response_of, to_json, to_json_within
from api.graphql.limited_socket import CUT_OFF_AFTER
from api.middleware.request_limits import ABORT, IS_EVENT_STREAM
from api.negotiation import EVENT_STREAM
from api.telemetry.request import current
from domain.errors import DomainError
from graphql_schema.context import Context
from graphql_schema.errors import formatted

# Proxies give up on a response that is silent, nginx after a minute.
KEEP_ALIVE_EVERY = timedelta(seconds=15)

# A comment (HTML standard, section 9.2.6).
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"


class EventStream(Response):
    """Sends each result of an operation as an event, until the client or the server leaves.

    It holds its ``place`` meanwhile.
    """

    media_type = EVENT_STREAM

    def __init__(
        self,
        results: AsyncGenerator[ExecutionResult, None],
        context: Context,
        place: AbstractContextManager[object],
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        # It is not known.
        del self.headers["Content-Length"]
        self._results = results
        self._context = context
        self._place = place
        self._end: Callable[[], object] | None = None
        self._cut_off: asyncio.TimerHandle | None = None

    def cut_off_soon(self) -> None:
        """Close the connection in a moment, even if its client does not read."""
        if self._end and self._cut_off is None:
            loop = asyncio.get_running_loop()
            self._cut_off = loop.call_later(CUT_OFF_AFTER.total_seconds(), self._end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state[IS_EVENT_STREAM] = True
        FairScheduler.end_turn()
        start = {"type": "http.response.start", "status": self.status_code}
        with self._place:
            await send({**start, "headers": self.raw_headers})
            async with running(self._send_events(send)) as sending, running(_left(receive)) as left:
                self._end = state.get(ABORT, sending.cancel)
                await asyncio.wait((sending, left), return_when=asyncio.FIRST_COMPLETED)
                self._end = None
                if self._cut_off:
                    # The connection may have its next request by then.
                    self._cut_off.cancel()
            if sending.done() and not sending.cancelled():
                sending.result()

    async def _send_events(self, send: Send) -> None:
        record = current()
        if self._context.is_subscription:
            record.events = 0
        with suppress(OSError):
            async with running(_keep_alive(send)), aclosing(self._results) as results:
                async for result in results:
                    await _send(send, b"event: next\ndata: %b\n\n" % await self._encoded(result))
                    if record.events is not None and result.data is not None:
                        record.events += 1
                    if self._context.response.may_be_large:
                        # Returns when the client has read nearly all of it.
                        await _send(send, b"")
            await send({"type": "http.response.body", "body": COMPLETE})

    async def _encoded(self, result: ExecutionResult) -> bytes:
        try:
            return await to_json_within(self._context.response, response_of(result))
        except DomainError as error:
            current().codes = (error.code,)
            return to_json({"errors": [formatted(error, request_id=current().request_id)]})


async def _keep_alive(send: Send) -> None:
    while True:
        await asyncio.sleep(KEEP_ALIVE_EVERY.total_seconds())
        await _send(send, KEEP_ALIVE)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
