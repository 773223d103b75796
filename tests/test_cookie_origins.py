"""Which pages may use the cookie of browser sessions (OWASP CSRF Prevention Cheat Sheet)."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from settings import Settings
from tests.browsers import API, APP, COOKIE, BrowserPage, client_at, code_of
from tests.conftest import settings_for, unprepared_app
from tests.operations import LOGIN, LOGOUT, ME
from tests.users import RegisteredUser

pytestmark = pytest.mark.any_database

REFRESH = 'mutation { refresh(refreshToken: "cookie") { accessToken } }'

# Another host of the same site, perhaps taken over: browsers send SameSite=Strict cookies for it.
SIBLING = "https://blog.example.com"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, public_url=f"{API}/accounts", cors_origins=f"{APP}, *")


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_at(app, API) as client:
        yield client


@pytest.fixture
async def page(client: httpx.AsyncClient, ada: RegisteredUser) -> BrowserPage:
    """Return a page of the application, where Ada is signed in."""
    page = BrowserPage(client)
    await page.log_in(ada)
    return page


async def assert_unchanged(page: BrowserPage, response: httpx.Response) -> None:
    """Assert that a request got no token, set no cookie and ended no session."""
    assert "Set-Cookie" not in response.headers
    assert "accessToken" not in response.text
    assert "errors" not in (await page.refresh()).json()


@pytest.mark.parametrize("origin", [APP, API])
@pytest.mark.parametrize("site", ["same-origin", "same-site", None])
async def test_a_listed_origin_and_that_of_public_url_may(
    page: BrowserPage, origin: str, site: str | None
) -> None:
    page.headers["Origin"] = origin
    if site:
        page.headers["Sec-Fetch-Site"] = site

    assert "errors" not in (await page.refresh()).json()


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "*",
        "https://evil.example",
        SIBLING,
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        f"{API}/accounts",
        "https://example.com",
    ],
)
async def test_no_other_origin_may(page: BrowserPage, origin: str) -> None:
    for document in (REFRESH, LOGOUT):
        page.headers["Origin"] = origin
        response = await page.send(document)
        page.headers["Origin"] = APP

        assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")
        assert "PUBLIC_URL" in response.json()["errors"][0]["message"]
        await assert_unchanged(page, response)


async def test_a_request_without_an_origin_may_not(page: BrowserPage) -> None:
    del page.headers["Origin"]
    response = await page.send(REFRESH)
    page.headers["Origin"] = APP

    assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")
    await assert_unchanged(page, response)


async def test_a_page_of_another_site_may_not_although_it_is_listed(page: BrowserPage) -> None:
    page.headers["Sec-Fetch-Site"] = "cross-site"
    response = await page.send(REFRESH)
    del page.headers["Sec-Fetch-Site"]

    assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")
    assert "same site" in response.json()["errors"][0]["message"]
    await assert_unchanged(page, response)


@pytest.mark.parametrize("value", ["", "Cookie", "cookie, cookie", "memory", "é"])
async def test_another_value_of_the_header_is_an_error(
    page: BrowserPage, ada: RegisteredUser, value: str
) -> None:
    page.headers["Gatehouse-Session"] = value.encode()  # type: ignore[assignment]
    response = await page.send(LOGIN, username=ada.username, password=ada.password)
    page.headers["Gatehouse-Session"] = "cookie"

    assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")
    await assert_unchanged(page, response)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "query=" + REFRESH),
        ("application/x-www-form-urlencoded", '{"query": "mutation { logout }", "a": "=b"}'),
        ("multipart/form-data; boundary=x", "--x\r\n\r\nlogout\r\n--x--"),
        ("text/plain", '{"query": "mutation { logout }"}'),
        (None, '{"query": "mutation { logout }"}'),
    ],
)
async def test_what_a_page_may_send_without_a_preflight_is_refused(
    page: BrowserPage, content_type: str | None, body: str
) -> None:
    """A form, or a script with `mode: "no-cors"`, can set neither the header nor the type."""
    for origin in (SIBLING, "https://evil.example", "null", APP):
        headers = {"Origin": origin, "Cookie": f"{COOKIE}={page.cookies[COOKIE]}"}
        if content_type:
            headers["Content-Type"] = content_type
        response = await page.client.post("/graphql", content=body, headers=headers)

        assert response.status_code == 415
        await assert_unchanged(page, response)


async def test_an_image_or_a_link_runs_no_mutation(page: BrowserPage) -> None:
    headers = {"Cookie": f"{COOKIE}={page.cookies[COOKIE]}", "Sec-Fetch-Site": "same-site"}
    for document in (REFRESH, LOGOUT):
        response = await page.client.get("/graphql", params={"query": document}, headers=headers)

        assert response.status_code == 405
        await assert_unchanged(page, response)


@pytest.mark.parametrize("document", [REFRESH, LOGOUT])
async def test_a_sibling_without_the_header_gets_nothing(page: BrowserPage, document: str) -> None:
    """JSON takes a preflight, which fails. This is what would arrive without one."""
    headers = {"Origin": SIBLING, "Cookie": f"{COOKIE}={page.cookies[COOKIE]}"}
    response = await page.client.post("/graphql", json={"query": document}, headers=headers)

    assert code_of(response) == "UNAUTHENTICATED"
    await assert_unchanged(page, response)


async def test_in_development_the_servers_own_pages_may(
    database_url: str, ada: RegisteredUser
) -> None:
    async with (
        unprepared_app(settings_for(database_url)) as app,
        client_at(app, "http://localhost:8000") as client,
    ):
        page = BrowserPage(client)
        other = await page.send(ME)
        page.headers["Origin"] = "http://localhost:8000"
        await page.log_in(ada)

        assert code_of(other) == "INVALID_INPUT"
        assert "errors" not in (await page.refresh()).json()


async def test_in_production_they_need_public_url(database_url: str) -> None:
    settings = settings_for(database_url, environment="production")
    async with unprepared_app(settings) as app, client_at(app, API) as client:
        page = BrowserPage(client)
        page.headers["Origin"] = API
        response = await page.refresh()

    assert code_of(response) == "INVALID_INPUT"


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("https://gatehouse.test", False),
        ("http://gatehouse.test", True),
        ("http://192.168.1.7:8000", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
    ],
)
async def test_over_plain_http_the_cookie_has_another_name_where_browsers_need_it(
    database_url: str, ada: RegisteredUser, url: str, is_plain: bool
) -> None:
    async with unprepared_app(settings_for(database_url)) as app, client_at(app, url) as client:
        page = BrowserPage(client)
        page.headers["Origin"] = url
        response = await page.send(LOGIN, username="Ada", password=ada.password)
        refreshed = await page.refresh()

    assert page.cookies.keys() == {"gatehouse" if is_plain else COOKIE}
    assert ("; Secure" in response.headers["Set-Cookie"]) is not is_plain
    assert "; HttpOnly; SameSite=Strict" in response.headers["Set-Cookie"]
    assert "errors" not in refreshed.json()


@pytest.mark.parametrize(
    "others",
    [
        {"environment": "production", "public_url": "http://accounts.example.com"},
        {"environment": "production", "public_url": API},
        {"public_url": API},
    ],
)
async def test_in_production_and_behind_https_the_name_never_changes(
    database_url: str, ada: RegisteredUser, others: dict[str, str]
) -> None:
    """A proxy may not tell that the request came over HTTPS."""
    settings = settings_for(database_url, cors_origins=APP, **others)
    async with unprepared_app(settings) as app, client_at(app, "http://10.0.0.5") as client:
        page = BrowserPage(client)
        await page.log_in(ada)

    assert page.cookies.keys() == {COOKIE}
