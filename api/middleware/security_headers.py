"""What every answer tells a browser not to do (OWASP HTTP Headers Cheat Sheet)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import add_headers

# An answer of the API is no page: nothing is loaded, run or framed, whatever a client has put into it. The pages of the
# house bring policies of their own.
API_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    # Addresses here may hold a document, and a document a password.
    (b"referrer-policy", b"no-referrer"),
]
# Elsewhere a browser says in its console that it is of no use.
ON_HTTPS = (b"cross-origin-opener-policy", b"same-origin")


class SecurityHeaders:
    """Around everything else, so that errors and refusals of CORS have them too."""

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
