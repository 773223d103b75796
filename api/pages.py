"""The HTML pages, from local files, each with the strictest policy it works with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from strawberry.http.ides import get_graphql_ide_html

from api.routes import Mount, Route

logger = logging.getLogger("gatehouse")

STATIC = Path(__file__).parent / "static"

# What `make explorer` builds.
EXPLORER = STATIC / "explorer"

_DOCS = STATIC / "docs"

# A page may load files of this server and call it, and nothing else.
LOCAL = {
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

# Strawberry's page is shown while the explorer is not built. It loads from a CDN and has an inline
# script.
_STRAWBERRY = {
    **LOCAL,
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

    def response(self, status: int = 200) -> Response:
        return HTMLResponse(self.html, status, {"Content-Security-Policy": self.policy})


def explorer() -> Page:
    """Return the page of the explorer or, if that is not built, Strawberry's GraphiQL."""
    index = EXPLORER / "index.html"
    if index.exists():
        return Page.of(index.read_text(), LOCAL)
    logger.warning(
        "The explorer is not built (run `make explorer`, which needs npm): /graphql shows a page that loads from a CDN."
    )
    return Page.of(get_graphql_ide_html(graphql_ide="graphiql"), _STRAWBERRY)


def routes(*, explorer: bool) -> list[BaseRoute]:
    """Return the routes of the pages and of the files they load. With the explorer, ``/`` leads to
    it."""
    assets = EXPLORER / "assets"
    docs = Page.of((_DOCS / "index.html").read_text(), LOCAL)

    async def show_docs(request: Request) -> Response:
        return docs.response()

    async def show_explorer(request: Request) -> Response:
        # Relative, so that it is right behind a proxy with a path, too.
        return RedirectResponse("graphql")

    return [
        *([Route("/", show_explorer)] if explorer else []),
        Route("/docs", show_docs),
        Mount("/docs/assets", _Files(directory=_DOCS, packages=[("fastapi_swagger", "resources")])),
        *([Mount("/explorer/assets", BuiltFiles(directory=assets))] if assets.exists() else []),
    ]


class _Files(StaticFiles):
    """Files that browsers revalidate each time."""

    caching = "no-cache"

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = self.caching
        return response


class BuiltFiles(_Files):
    """Files whose names change with their content."""

    caching = "public, max-age=31536000, immutable"
