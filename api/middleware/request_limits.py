"""Limits the time and the body of each request, and responds to unhandled errors."""

from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import error_response
from api.fair_scheduler import FairScheduler
from domain.deadline import Deadline
from domain.devices import network_of
from domain.errors import InvalidInput

# For a document with its variables: far more than any needs, and little enough to hold in memory.
MAX_BODY_BYTES = 1024 * 1024

_MIB = 1024 * 1024

# The key in the state of a scope for the limit of a route that accepts larger bodies.
_BODY_LIMIT = "body_limit"

# The key in the state of a scope for a function that returns whether the client has left, from
# servers that know it.
IS_CLOSING = "is_closing"

# The key for a function that ends the connection at once.
ABORT = "abort"

# The key in the state of a scope of a response that ends when the server shuts down: an event
# stream.
IS_EVENT_STREAM = "is_event_stream"


def set_body_limit(scope: Scope, limit: int) -> None:
    """Let the body of a request have as many bytes as ``limit``. Routes that do so first find out
    who is sending it."""
    scope["state"][_BODY_LIMIT] = limit


def body_too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"The body must have at most {limit // _MIB} MiB.")


class RequestLimitsMiddleware:
    """Gives each request its turn, a deadline and a body limit, and responds to errors."""

    def __init__(self, app: ASGIApp, *, scheduler: FairScheduler, deadline: timedelta) -> None:
        self.app = app
        self._scheduler = scheduler
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        is_receiving = False
        is_responding = False
        deadline = Deadline(self._deadline)

        async def receive_within_limit() -> Message:
            nonlocal received, is_receiving
            is_receiving = True
            message = await receive()
            is_receiving = False
            received += len(message.get("body", b""))
            limit = scope["state"].get(_BODY_LIMIT, MAX_BODY_BYTES)
            if received > limit:
                raise body_too_large(limit)
            return message

        async def send_and_lift(message: Message) -> None:
            nonlocal is_responding
            if not is_responding:
                is_responding = True
                # Sending the response takes as long as the client reads, which the server limits.
                deadline.lift()
            await send(message)

        try:
            work: Any = self.app(scope, receive_within_limit, send_and_lift)
            await deadline.run(
                self._scheduler.run(
                    _network_of(scope), work, is_dropped=scope.get("state", {}).get(IS_CLOSING)
                )
            )
        except ClientDisconnect:
            return
        except Exception as error:
            # If the request has not arrived completely by then, its client took too long.
            why = InvalidInput("The request took too long to send.") if is_receiving else error
            response = error_response(scope, why)
            if not is_responding:
                await response(scope, receive, send)


def _network_of(scope: Scope) -> str:
    client = scope.get("client")
    return network_of(client[0] if client else None)
