"""The cookie of browser sessions: which requests may use it, how it is read and how it is set.

The refresh token is in the cookie and the access token in the page's memory (RFC 10017 section 6.2,
"Token-Mediating Backend"). A page that another site controls cannot use the cookie: the header that
asks for it takes a preflight, and the origin must be a listed one.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil

from starlette.requests import Request
from starlette.types import Scope

from graphql_schema.browser_session import BrowserSession
from settings import Settings

HEADER = "Gatehouse-Session"
_HEADER = HEADER.lower().encode()

# Browsers accept this name over HTTPS only, for one host and all of its paths (RFC 6265bis section
# 4.1.3.2), so that no other host of the site can set it.
NAME = "__Host-gatehouse"

# For development over plain HTTP, where browsers refuse the other name. Some accept it on loopback
# addresses, but not Safari.
PLAIN_NAME = "gatehouse"


class SessionCookies:
    """Reads and sets the cookies of browser sessions."""

    def __init__(self, settings: Settings) -> None:
        public_url = settings.public_url or ""
        public_origin = public_url.removesuffix(settings.public_path)
        self._origins = {*settings.cors_origins, public_origin} - {"*", ""}
        in_development = settings.environment == "development"
        self._own_origin_counts = in_development and not public_url
        self._may_be_plain = in_development and not public_url.startswith("https:")

    def read(self, request: Request) -> BrowserSession | None:
        """Return the browser session of a request, or None if it does not ask for one.

        Raises ValueError, with a sentence, if it asks and may not have one.
        """
        asked = _asked(request.scope)
        if asked is None:
            return None
        if asked != b"cookie":
            raise ValueError(f"The header {HEADER} must be `cookie`.")
        self._require_allowed_origin(request)
        return BrowserSession(_value(self._name(request).encode(), request.headers.raw))

    def header(self, request: Request, browser: BrowserSession) -> str:
        """Return the Set-Cookie that makes the browser keep or forget the refresh token."""
        name = self._name(request)
        secure = "; Secure" if name == NAME else ""
        return (
            f"{name}={browser.refresh_token or ''}; Path=/; Max-Age={_seconds(browser.expires_at)}"
            f"{secure}; HttpOnly; SameSite=Strict"
        )

    def _require_allowed_origin(self, request: Request) -> None:
        """Raise ValueError unless the request comes from a page that may have a browser session.

        In development it may be the server's own page. DNS rebinding makes any page that, but under
        another host, whose cookies are its own.
        """
        origin = request.headers.get("origin")
        own = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        if origin is None:
            raise ValueError(f"{HEADER} needs the header Origin, which browsers send.")
        if origin not in self._origins and not (self._own_origin_counts and origin == own):
            raise ValueError(
                f"This origin may not use {HEADER}: it is neither PUBLIC_URL's nor in CORS_ORIGINS."
            )
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise ValueError(f"{HEADER} needs a page of the same site: browsers keep no others.")

    def _name(self, request: Request) -> str:
        is_plain = request.scope["scheme"] == "http" and self._may_be_plain
        return PLAIN_NAME if is_plain else NAME


def _asked(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            asked: bytes = value
            return asked
    return None


def _value(name: bytes, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the value of a cookie, or None if there is none or more than one.

    Only blanks are stripped, and nothing is decoded before: another host of the site may set a name
    that begins with other white space, and must not pass for this one.
    """
    pairs = (
        pair.partition(b"=")
        for header, cookies in headers
        if header == b"cookie"
        for pair in cookies.split(b";")
    )
    found = [value.strip(b" \t") for key, _, value in pairs if key.strip(b" \t") == name]
    return found[0].decode("ascii", "replace") if len(found) == 1 else None


def _seconds(until: datetime | None) -> int:
    return ceil((until - datetime.now(UTC)).total_seconds()) if until else 0
