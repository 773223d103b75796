"""A FastAPI application that serves its busiest path without its router."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.lifespan import Lifespan
from api.routes import Route


class App(FastAPI):
    """Serves ``fast_path`` through the added middleware and nothing else of FastAPI and Starlette,
    which would take a fifth of the time of `me`.

    ``on_error`` makes the response to an error on this path. ``prefix`` is the path of PUBLIC_URL,
    or empty. A proxy may pass it on or strip it.
    """

    def __init__(
        self,
        *,
        fast_path: Route,
        on_error: Callable[..., Response],
        prefix: str,
        lifespan: Lifespan,
        **options: Any,
    ) -> None:
        super().__init__(lifespan=lifespan, **options)
        self._fast_path = fast_path
        self._on_error = on_error
        self._prefix = prefix
        self._outermost: ASGIApp | None = None
        # Middleware that is added later is outside of this one.
        self.add_middleware(_Innermost, fast_path=fast_path, lifespan=lifespan)

    def build_middleware_stack(self) -> ASGIApp:
        """Build the stack, at the first request, and note where the added middleware begins."""

        def note(app: ASGIApp) -> ASGIApp:
            self._outermost = app
            return app

        self.user_middleware.insert(0, Middleware(note))
        return super().build_middleware_stack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self._prefix and not scope.get("root_path") and path.startswith(f"{self._prefix}/"):
            scope["root_path"] = self._prefix
        root = scope.get("root_path", "")
        if path.removeprefix(root) == self._fast_path.path:
            # Now, because middleware may refuse a request before it is routed.
            scope.setdefault("state", {})["on_error"] = self._on_error
            if not root:
                scope["app"], scope["route"] = self, self._fast_path
                if self._outermost:
                    await self._outermost(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


class _Innermost:
    """The middleware inside of all others: takes the fast path, where the path is that."""

    def __init__(
        self,
        app: ASGIApp,
        fast_path: Route,
        lifespan: Lifespan,
    ) -> None:
        self._router = app
        self._fast_path = fast_path
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_fast = scope.get("route") is self._fast_path
        if not self._lifespan.is_running and scope["type"] != "lifespan":
            await self._lifespan.begin()
        if is_fast:
            await self._fast_path.app(scope, receive, send)
        else:
            await self._router(scope, receive, send)
