"""The account pages at /account: one HTML document for all of them, which knows the brand and the
origins that a sign-in may return to."""

import hashlib
import html
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from api.pages import LOCAL, STATIC, BuiltFiles, Page
from api.routes import Mount, Route
from domain.providers import Provider
from settings.files import open_regular

logger = logging.getLogger("gatehouse")

# What `make account` builds.
BUILT = STATIC / "account"

# As in web/account/src/router.ts.
PAGES = frozenset(
    (
        "login",
        "login-by-code",
        "second-factor",
        "finish-sign-in",
        "sign-up",
        "forgot-password",
        "reset-password",
        "secure-account",
        "profile",
        "verify-email",
        "change-email",
        "undo-email-change",
        "security",
        "password",
        "authenticator-app",
        "new-passkey",
        "sessions",
        "events",
        "delete",
        "admin",
        "admin-account",
    )
)

LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
MAX_LOGO_KIB = 256

# An SVG file that is opened by itself is a page. It may use its own styles, and run nothing.
_LOGO_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Logo:
    content: bytes
    media_type: str

    @property
    def address(self) -> str:
        """The address beside the pages. It changes with the content."""
        return f"logo?v={hashlib.sha256(self.content).hexdigest()[:16]}"

    def response(self) -> Response:
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": _LOGO_POLICY,
        }
        return Response(self.content, headers=headers, media_type=self.media_type)


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    color: str
    logo: Logo | None = None


def read_logo(path: Path) -> Logo:
    """Read the image of BRAND_LOGO. Raises ValueError, with one line, if it cannot be used."""
    media_type = LOGO_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise ValueError(f"BRAND_LOGO must be a file that ends with {', '.join(LOGO_TYPES)}")
    try:
        with open_regular(path) as file:
            content = file.read(MAX_LOGO_KIB * 1024 + 1)
    except OSError as error:
        raise ValueError(f"BRAND_LOGO cannot be read: {error.strerror}") from None
    if len(content) > MAX_LOGO_KIB * 1024:
        raise ValueError(f"BRAND_LOGO must have at most {MAX_LOGO_KIB} KiB")
    return Logo(content, media_type)


def routes(
    brand: Brand,
    return_origins: Sequence[str],
    *,
    sends_mail: bool,
    requires_verified_email: bool = False,
    registration: str = "open",
    authenticator_apps: bool = False,
    requires_second_factor: bool = False,
    passkey_domain: str | None = None,
    providers: Iterable[Provider] = (),
    pictures_origin: str | None = None,
    allows_image_urls: bool = True,
) -> list[BaseRoute]:
    """Return the routes of the pages and of the files they load."""
    settings = {
        "name": brand.name,
        "color": brand.color,
        "logo": brand.logo.address if brand.logo else None,
        # `*` allows every origin to call the API, but a sign-in must not lead just anywhere.
        "returnOrigins": [origin for origin in return_origins if origin != "*"],
        "sendsMail": sends_mail,
        "requiresVerifiedEmail": requires_verified_email,
        "registration": registration,
        "authenticatorApps": authenticator_apps,
        "requiresSecondFactor": requires_second_factor,
        "passkeys": passkey_domain,
        "providers": [{"name": each.name, "label": each.label} for each in providers],
        "pictures": pictures_origin,
        "imageUrls": allows_image_urls,
    }
    page = _page(settings, _policy(pictures_origin))
    assets = BUILT / "assets"

    async def show_profile(request: Request) -> Response:
        # Relative, so that it is right behind a proxy with a path, too.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"account/profile{query}")

    async def show(request: Request) -> Response:
        if page is None:
            raise HTTPException(404)
        return page.response(200 if request.path_params["page"] in PAGES else 404)

    async def show_logo(request: Request) -> Response:
        if brand.logo is None:
            raise HTTPException(404)
        return brand.logo.response()

    return [
        Route("/account", show_profile),
        Route("/account/logo", show_logo),
        Route("/account/{page}", show),
        *([Mount("/account/assets", BuiltFiles(directory=assets))] if assets.exists() else []),
    ]


def _policy(pictures_origin: str | None) -> Mapping[str, str]:
    """Return the directives of the pages. Pictures may be at another origin: that of a CDN, or of
    PUBLIC_URL where users reach the server by another name."""
    # A policy cannot name an IPv6 address (CSP Level 3 section 2.3.1). Pages at it are 'self'.
    if pictures_origin is None or "[" in pictures_origin:
        return LOCAL
    return {**LOCAL, "img-src": f"{LOCAL['img-src']} {pictures_origin}"}


def _page(settings: Mapping[str, object], policy: Mapping[str, str]) -> Page | None:
    """Return the document of all pages, or None while they are not built."""
    index = BUILT / "index.html"
    if index.exists():
        return Page.of(_fill(index.read_text(), settings), policy)
    logger.warning(
        "The account pages are not built (run `make account`, which needs npm): /account/login returns 404."
    )
    return None


def _fill(document: str, settings: Mapping[str, object]) -> str:
    """Fill in what the scripts read: the policy of the page allows no inline script."""
    return document.replace("{{name}}", html.escape(str(settings["name"]))).replace(
        "{{settings}}", html.escape(json.dumps(settings))
    )
