"""The pages of the house, from files of our own, each under the strictest policy that it works with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from strawberry.http.ides import get_graphql_ide_html

from api.routes import Mount, Route

logger = logging.getLogger("gatehouse")

_STATIC = Path(__file__).parent / "static"

# What `make explorer` builds.
EXPLORER = _STATIC / "explorer"

_DOCS = _STATIC / "docs"

_OURS = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}

# Strawberry's page, which is shown as long as ours is not built, loads from a CDN and starts by a script within it.
_STRAWBERRYS = {
    **_OURS,
    "script-src": "https://unpkg.com 'unsafe-inline'",
    "style-src": "https://unpkg.com 'unsafe-inline'",
    "img-src": "https: data:",
    "font-src": "https://unpkg.com data:",
}


@dataclass(frozen=True, slots=True)
class Page:
    html: str
    policy: str

    @classmethod
    def of(cls, html: str, directives: Mapping[str, str]) -> Self:
        return cls(html, "; ".join(f"{name} {sources}" for name, sources in directives.items()))

    def response(self) -> Response:
        return HTMLResponse(self.html, headers={"Content-Security-Policy": self.policy})


def explorer() -> Page:
    """GraphiQL that knows your account or, where it is not built, Strawberry's."""
    index = EXPLORER / "index.html"
    if index.exists():
        return Page.of(index.read_text(), _OURS)
    logger.warning(
        "The explorer is not built (`make explorer`, with npm): /graphql shows a page that loads from a CDN."
    )
    return Page.of(get_graphql_ide_html(graphql_ide="graphiql"), _STRAWBERRYS)


def routes() -> list[BaseRoute]:
    """Of /docs, and of what the pages load."""
    assets = EXPLORER / "assets"
    docs = Page.of((_DOCS / "index.html").read_text(), _OURS)

    async def show_docs(request: Request) -> Response:
        return docs.response()

    return [
        Route("/docs", show_docs),
        Mount("/docs/assets", _Files(directory=_DOCS, packages=[("fastapi_swagger", "resources")])),
        *([Mount("/explorer/assets", _BuiltFiles(directory=assets))] if assets.exists() else []),
    ]


class _Files(StaticFiles):
    """Asked for again each time, and sent again only if they have changed."""

    caching = "no-cache"

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = self.caching
        return response


class _BuiltFiles(_Files):
    """Their names change with what is in them."""

    caching = "public, max-age=31536000, immutable"
