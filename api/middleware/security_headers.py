"""Security headers on every response (OWASP HTTP Headers Cheat Sheet)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import add_headers

# Responses of the API are not pages: a browser must load, run and frame nothing of them, whatever
# they contain. The pages have policies of their own.
API_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    # A URL may contain a document, and a document a password.
    (b"referrer-policy", b"no-referrer"),
]
# Without HTTPS, browsers ignore it with a message in the console.
ON_HTTPS = (b"cross-origin-opener-policy", b"same-origin")


class SecurityHeadersMiddleware:
    """Wraps all other middleware, so that errors and refused CORS requests have the headers too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_https = scope.get("scheme") == "https"
                always = [*ALWAYS, ON_HTTPS] if is_https else ALWAYS
                add_headers(message, always, by_default=API_POLICY)
            await send(message)

        await self.app(scope, receive, send_with_headers)
