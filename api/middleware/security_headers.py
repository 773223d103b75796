"""Security headers on every response (OWASP HTTP Headers Cheat Sheet)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import add_headers

# Responses of the API are not pages: a browser must load, run and frame nothing of them, whatever
# they contain. The pages have policies of their own.
API_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
# Every response is about the caller or this moment. RFC 6749 section 5.1 requires it for tokens.
# Pages and pictures say otherwise.
NOT_STORED = (b"cache-control", b"no-store")
BY_DEFAULT = (API_POLICY, NOT_STORED)
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    # A URL may contain a document, and a document a password.
    (b"referrer-policy", b"no-referrer"),
)
# Without HTTPS, browsers ignore the last one with a message in the console.
ALWAYS_ON_HTTPS = (*ALWAYS, (b"cross-origin-opener-policy", b"same-origin"))


class SecurityHeadersMiddleware:
    """Wraps all other middleware, so that errors and refused CORS requests have the headers too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        always = ALWAYS_ON_HTTPS if scope.get("scheme") == "https" else ALWAYS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, always, BY_DEFAULT)
            await send(message)

        await self.app(scope, receive, send_with_headers)
