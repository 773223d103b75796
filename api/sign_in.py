"""GET /sign-in/{provider} and its callback: the way to an identity provider and back.

A browser follows it from page to page, so every response is a redirect. Where the frontend's
address is not known, it leads to the log-in page with an error.
"""

import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from api.dependencies import device_of, services
from api.forms import read_form
from api.providers import redirect_uri
from api.routes import Route
from api.telemetry.request import current
from domain.authentication import providers
from domain.authentication.providers.flow import Callback, provider_named
from domain.errors import DomainError, InvalidCode, InvalidInput, NotFound, TooManyAttempts
from domain.redirects import with_parameters
from settings import Settings

# As in `cookies`: only over HTTPS, for this host alone.
NAME = "__Host-gatehouse-flow"
PLAIN_NAME = "gatehouse-flow"

_COOKIE_BYTES = 32

# What we have set. Any other would be echoed in a header.
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")

_SECONDS = int(providers.FLOW_LIFETIME.total_seconds())


def routes(settings: Settings) -> list[BaseRoute]:
    """Return the routes, for a server that has providers."""
    flow = _SignIn(
        issuer=settings.issuer,
        log_in_page=f"{settings.links_url}/login",
        is_secure=settings.issuer.startswith("https:"),
    )
    callback = "/sign-in/{provider}/callback"
    return [
        Route("/sign-in/{provider}", flow.begin),
        Route(callback, flow.take_callback, methods=["GET", "POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _SignIn:
    issuer: str
    log_in_page: str
    is_secure: bool

    async def begin(self, request: Request) -> Response:
        """Begin a sign-in with `redirect_to` and `code_challenge`, or a linking with the `state`
        that `startLinking` has returned, and send the browser to the provider."""
        name = request.path_params["provider"]
        query = request.query_params
        cookie = _usable(self._cookie(request)) or secrets.token_urlsafe(_COOKIE_BYTES)
        try:
            provider = provider_named(services(request), name)
            state = query.get("state") or await providers.start_flow(
                services(request),
                device_of(request),
                provider=name,
                redirect_to=query.get("redirect_to", ""),
                code_challenge=query.get("code_challenge", ""),
            )
            address = await providers.to_provider(
                services(request),
                provider=name,
                state=state,
                redirect_uri=redirect_uri(self.issuer, name),
                cookie=cookie,
            )
        except DomainError as error:
            return self._failed(error)
        response = _redirect(address)
        response.headers["Set-Cookie"] = self._set_cookie(cookie, form_post=provider.form_post)
        return response

    async def take_callback(self, request: Request) -> Response:
        """Take what the provider sends, and send the browser back to the frontend."""
        name = request.path_params["provider"]
        try:
            given = await read_form(request) if request.method == "POST" else request.query_params
            address = await providers.take_callback(
                services(request),
                provider=name,
                callback=Callback(
                    state=given.get("state", ""),
                    code=given.get("code"),
                    error=given.get("error"),
                    issuer=given.get("iss"),
                    cookie=self._cookie(request),
                ),
                redirect_uri=redirect_uri(self.issuer, name),
            )
        except DomainError as error:
            return self._failed(error)
        return _redirect(address)

    def _failed(self, error: DomainError) -> Response:
        current().codes = (error.code,)
        match error:
            case NotFound():
                name = "unknown_provider"
            case TooManyAttempts():
                name = "too_many_attempts"
            case InvalidInput():
                name = "invalid_request"
            case InvalidCode():
                name = "invalid_sign_in"
            case _:
                raise error
        return _redirect(with_parameters(self.log_in_page, error=name))

    def _cookie(self, request: Request) -> str | None:
        return request.cookies.get(NAME if self.is_secure else PLAIN_NAME)

    def _set_cookie(self, value: str, *, form_post: bool) -> str:
        name = NAME if self.is_secure else PLAIN_NAME
        # A provider's own page posts the callback of form_post, and Lax cookies do not go with it.
        site = "None" if form_post and self.is_secure else "Lax"
        secure = "; Secure" if self.is_secure else ""
        return f"{name}={value}; Path=/; Max-Age={_SECONDS}{secure}; HttpOnly; SameSite={site}"


def _usable(cookie: str | None) -> str | None:
    return cookie if cookie and _COOKIE.fullmatch(cookie) else None


def _redirect(address: str) -> Response:
    # Every response has Referrer-Policy: no-referrer.
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
