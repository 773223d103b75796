"""What every answer tells a browser not to do (OWASP HTTP Headers Cheat Sheet)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer of the API is no page: nothing is loaded, run or framed, whatever a client has put into it. The pages of the
# house bring policies of their own.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """Around everything else, so that errors and refusals of CORS have them too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", API_POLICY)
                headers["X-Content-Type-Options"] = "nosniff"
                # Addresses here may hold a document, and a document a password.
                headers["Referrer-Policy"] = "no-referrer"
                if scope.get("scheme") == "https":
                    # Elsewhere a browser says in its console that it is of no use.
                    headers["Cross-Origin-Opener-Policy"] = "same-origin"
            await send(message)

        await self.app(scope, receive, send_with_headers)
