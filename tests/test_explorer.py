"""The page at /graphql, with and without a built explorer. `browser/` tests it in a browser."""

from pathlib import Path

import httpx
import pytest

from api import pages
from settings import Settings
from tests.conftest import client_of, settings_for, unprepared_app

pytestmark = pytest.mark.any_database

BROWSER_HEADERS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder like the one that `make explorer` builds."""
    folder = tmp_path / "explorer"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Our explorer</title>")
    (folder / "assets" / "index-abc.js").write_text("start()")
    monkeypatch.setattr(pages, "EXPLORER", folder)
    return folder


@pytest.fixture
def not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "EXPLORER", tmp_path / "nothing")


async def page(settings: Settings) -> httpx.Response:
    async with unprepared_app(settings) as app, client_of(app) as client:
        return await client.get("/graphql", headers=BROWSER_HEADERS)


async def test_ours_runs_nothing_from_elsewhere_and_nothing_inline(
    settings: Settings, built: Path
) -> None:
    response = await page(settings)

    assert "Our explorer" in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy


async def test_what_it_loads_is_kept_by_browsers(settings: Settings, built: Path) -> None:
    async with unprepared_app(settings) as app, client_of(app) as client:
        response = await client.get("/explorer/assets/index-abc.js")

    assert response.text == "start()"
    assert "immutable" in response.headers["Cache-Control"]


async def test_not_built_it_is_strawberrys_and_the_log_says_so(
    settings: Settings, not_built: None, caplog: pytest.LogCaptureFixture
) -> None:
    response = await page(settings)

    assert "unpkg.com" in response.text
    assert "https://unpkg.com" in response.headers["Content-Security-Policy"]
    assert "The explorer is not built" in caplog.text


async def test_not_built_nothing_else_is_missing(settings: Settings, not_built: None) -> None:
    async with unprepared_app(settings) as app, client_of(app) as client:
        asset = await client.get("/explorer/assets/index-abc.js")
        graph = await client.post("/graphql", json={"query": "{ __typename }"})

    assert asset.status_code == 404
    assert graph.json() == {"data": {"__typename": "Query"}}


async def test_in_production_there_is_no_page(database_url: str, built: Path) -> None:
    response = await page(settings_for(database_url, environment="production"))

    assert response.status_code == 404
    assert "Our explorer" not in response.text


async def test_the_root_leads_to_the_explorer_in_development_alone(
    settings: Settings, database_url: str
) -> None:
    async with unprepared_app(settings) as app, client_of(app) as client:
        root = await client.get("/", headers=BROWSER_HEADERS)
    production = settings_for(database_url, environment="production")
    async with unprepared_app(production) as app, client_of(app) as client:
        hidden = await client.get("/", headers=BROWSER_HEADERS)

    # Relative: behind a proxy with a path it leads to the right place too.
    assert (root.status_code, root.headers["Location"]) == (307, "graphql")
    assert hidden.status_code == 404
