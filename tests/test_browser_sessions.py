"""Browser sessions: the refresh token is in a cookie that scripts cannot read."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.cookies import PLAIN_NAME
from domain.services import Services
from settings import Settings
from tests.browsers import API, APP, COOKIE, BrowserPage, client_at, code_of
from tests.conftest import settings_for, unprepared_app
from tests.operations import (
    CHANGE_PASSWORD,
    DELETE_ME,
    LOGIN,
    LOGOUT,
    LOGOUT_EVERYWHERE,
    ME,
    REAUTHENTICATE,
    REFRESH,
    REGISTER,
)
from tests.servers import Server
from tests.sessions import is_signed_in, move_rotations_back, sessions
from tests.users import IN_A_YEAR, GraphQL, RegisteredUser
from tests.websockets import execute, initialize, open_socket

pytestmark = pytest.mark.any_database

LATE = timedelta(minutes=1)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, public_url=f"{API}/", cors_origins=APP)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_at(app, API) as client:
        yield client


@pytest.fixture
def page(client: httpx.AsyncClient) -> BrowserPage:
    return BrowserPage(client)


def expired(services: Services, user: RegisteredUser) -> str:
    """Return an access token of the user's session that has expired."""
    tokens = replace(services.access_tokens, lifetime=timedelta(seconds=-1))
    claims = services.access_tokens.read(user.token)
    return tokens.issue(claims.caller, not_after=IN_A_YEAR).value


async def test_a_sign_in_puts_the_refresh_token_into_the_cookie_alone(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    response = await page.send(LOGIN, username=ada.username, password=ada.password)
    [cookie] = response.headers.get_list("set-cookie")
    pair, *attributes = cookie.split("; ")
    name, _, value = pair.partition("=")

    assert response.json()["data"]["login"]["refreshToken"] == "cookie"
    assert (name, len(value)) == (COOKIE, 64)
    assert value not in response.text
    assert attributes == [
        "Path=/",
        f"Max-Age={timedelta(days=14).total_seconds():.0f}",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ]


async def test_the_word_stands_for_the_token_in_the_cookie(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    await page.log_in(ada)
    first = page.cookies[COOKIE]
    refreshed = (await page.refresh()).json()["data"]["refresh"]

    assert refreshed["refreshToken"] == "cookie"
    assert refreshed["user"]["username"] == "Ada"
    assert page.cookies[COOKIE] != first
    assert (await page.data(ME, bearer=refreshed["accessToken"]))["id"] == ada.id


async def test_registration_and_a_new_password_set_it_too(page: BrowserPage) -> None:
    password = "analytical engine"
    registered = await page.data(REGISTER, username="Eve", email="e@example.com", password=password)
    first = page.cookies[COOKIE]
    changed = await page.data(
        CHANGE_PASSWORD, bearer=registered["accessToken"], current=password, new="difference engine"
    )

    assert registered["refreshToken"] == changed["refreshToken"] == "cookie"
    assert page.cookies[COOKIE] != first
    ended = await BrowserPage(page.client, cookies={COOKIE: first}).refresh()
    assert code_of(ended) == "UNAUTHENTICATED"
    assert "errors" not in (await page.refresh()).json()


async def test_a_proof_rotates_it_so_that_a_refresh_under_way_loses_nothing(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    bearer = await page.log_in(ada)
    other_tab = BrowserPage(page.client, cookies=dict(page.cookies))
    proved = await page.data(REAUTHENTICATE, bearer=bearer, input={"password": ada.password})
    late = await other_tab.refresh()

    assert proved["refreshToken"] == "cookie"
    assert "errors" not in late.json()
    assert other_tab.cookies == page.cookies
    assert "errors" not in (await page.refresh()).json()


async def test_a_client_that_holds_a_token_may_move_it_into_the_cookie(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    moved = await page.data(REFRESH, token=ada.refresh_token)

    assert moved["refreshToken"] == "cookie"
    assert "errors" not in (await page.refresh()).json()


async def test_without_the_header_the_cookie_is_neither_read_nor_set(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    await page.log_in(ada)
    del page.headers["Gatehouse-Session"]
    cookies = dict(page.cookies)
    refused = await page.refresh()
    token = await page.data(LOGIN, username=ada.username, password=ada.password)

    assert code_of(refused) == "UNAUTHENTICATED"
    assert "Set-Cookie" not in refused.headers
    assert len(token["refreshToken"]) == 64
    assert page.cookies == cookies


async def test_a_page_without_a_cookie_is_not_signed_in(page: BrowserPage) -> None:
    response = await page.refresh()

    assert code_of(response) == "UNAUTHENTICATED"
    assert response.json()["errors"][0]["extensions"]["fields"].keys() == {"refreshToken"}


@pytest.mark.parametrize(
    "cookie",
    [
        '{name}="{token}"',
        "{name}={token}x",
        "{name}=",
        "{name}",
        "{name}={token}; {name}={token}",
        "{name}={token}; {name}=other",
        "x{name}={token}",
        "{name}x={token}",
        "\xa0{name}={token}",
        "\x0b{name}={token}",
        "\x85{name}={token}",
        "={name}={token}",
        "{lower}={token}",
        "{name}=" + "x" * 10_000,
        ";" * 10_000,
        "=" * 10_000,
        "é=é; {name}=é",
    ],
)
async def test_another_or_a_doubtful_cookie_is_not_the_cookie(
    page: BrowserPage, ada: RegisteredUser, cookie: str
) -> None:
    await page.log_in(ada)
    token = page.cookies.pop(COOKIE)
    cookie = cookie.format(name=COOKIE, token=token, lower=COOKIE.lower())
    page.headers["Cookie"] = cookie.encode("latin-1")  # type: ignore[assignment]

    assert code_of(await page.refresh()) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "cookie",
    [
        "{name}={token}",
        "theme=dark; {name}={token}; other={name}",
        "theme=dark;{name}={token};",
        " ; ;=;{name} = {token} ",
        'a="b; {name}={token}; c="',
        "big=" + "x" * 8_000 + "; {name}={token}",
    ],
)
async def test_the_cookie_is_found_among_others(
    page: BrowserPage, ada: RegisteredUser, cookie: str
) -> None:
    await page.log_in(ada)
    page.headers["Cookie"] = cookie.format(name=COOKIE, token=page.cookies.pop(COOKIE))

    assert "errors" not in (await page.refresh()).json()


async def test_a_query_with_the_header_changes_nothing(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    bearer = await page.log_in(ada)
    by_post = await page.send(ME, bearer=bearer)
    # Browsers send no Origin with a GET to the page's own.
    headers = {"Gatehouse-Session": "cookie", "Authorization": f"Bearer {bearer}"}
    by_get = await page.client.get("/graphql", params={"query": ME}, headers=headers)

    for response in (by_post, by_get):
        assert response.json()["data"]["me"]["id"] == ada.id
        assert "Set-Cookie" not in response.headers


async def test_logout_ends_the_session_and_clears_the_cookie(
    page: BrowserPage, ada: RegisteredUser, graphql: GraphQL
) -> None:
    bearer = await page.log_in(ada)
    token = page.cookies[COOKIE]
    response = await page.send(LOGOUT, bearer=bearer)

    assert response.headers["Set-Cookie"] == (
        f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
    )
    assert page.cookies == {}
    assert not await is_signed_in(graphql, replace(ada, token=bearer, refresh_token=token))


@pytest.mark.parametrize("bearer", ["none", "expired", "broken"])
async def test_logout_needs_no_access_token(
    page: BrowserPage, ada: RegisteredUser, graphql: GraphQL, services: Services, bearer: str
) -> None:
    access_token = await page.log_in(ada)
    current, _ = await sessions(graphql, replace(ada, token=access_token))
    bearers = {"none": None, "broken": "x.y.z", "expired": expired(services, ada)}
    session_id = await page.data(LOGOUT, bearer=bearers[bearer])

    assert session_id == current["id"]
    assert page.cookies == {}
    assert code_of(await page.send(ME, bearer=access_token)) == "UNAUTHENTICATED"
    # The expired token was of this other session, which it does not end.
    assert await is_signed_in(graphql, ada)


async def test_logout_ends_the_sessions_of_both_tokens(
    page: BrowserPage, ada: RegisteredUser, graphql: GraphQL
) -> None:
    """Another tab has signed in anew, which replaced the cookie."""
    bearer = await page.log_in(ada)
    _, current = await sessions(graphql, ada)
    ended = await page.data(LOGOUT, bearer=ada.token)

    assert ended == current["id"]
    assert code_of(await page.send(ME, bearer=bearer)) == "UNAUTHENTICATED"
    assert not await is_signed_in(graphql, ada)


async def test_logout_without_any_session_clears_the_cookie(
    page: BrowserPage, ada: RegisteredUser, services: Services
) -> None:
    await page.log_in(ada)
    page.cookies[COOKIE] = "x" * 64
    of_no_session = await page.send(LOGOUT)
    page.cookies.clear()
    without_cookie = await page.send(LOGOUT, bearer=expired(services, ada))

    assert code_of(of_no_session) == "UNAUTHENTICATED"
    assert code_of(without_cookie) == "TOKEN_EXPIRED"
    assert "Max-Age=0" in of_no_session.headers["Set-Cookie"]


async def test_logout_everywhere_clears_it_unless_this_session_stays(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    bearer = await page.log_in(ada)
    stays = await page.send(LOGOUT_EVERYWHERE, bearer=bearer, but=True)
    assert "Set-Cookie" not in stays.headers
    await page.data(LOGOUT_EVERYWHERE, bearer=bearer, but=False)

    assert page.cookies == {}


async def test_deleting_the_account_clears_it(page: BrowserPage, ada: RegisteredUser) -> None:
    bearer = await page.log_in(ada)
    refused = await page.send(DELETE_ME, bearer=bearer, password="not the password")
    assert "Set-Cookie" not in refused.headers
    await page.data(DELETE_ME, bearer=bearer, password=ada.password)

    assert page.cookies == {}


async def test_within_the_grace_period_a_replay_returns_the_newest_token(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    """Two tabs start with the same cookie."""
    await page.log_in(ada)
    tab = BrowserPage(page.client, cookies=dict(page.cookies))
    await page.refresh()
    await page.refresh()
    await tab.refresh()

    assert tab.cookies == page.cookies


async def test_reuse_after_the_grace_period_ends_the_session_and_clears_the_cookie(
    page: BrowserPage, ada: RegisteredUser, services: Services
) -> None:
    await page.log_in(ada)
    stolen = BrowserPage(page.client, cookies=dict(page.cookies))
    await page.refresh()
    await page.refresh()
    await move_rotations_back(services, LATE)
    reused = await stolen.refresh()
    afterwards = await page.refresh()

    assert code_of(reused) == code_of(afterwards) == "UNAUTHENTICATED"
    assert stolen.cookies == page.cookies == {}


async def test_an_invalid_token_in_the_document_leaves_the_cookie_alone(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    await page.log_in(ada)
    response = await page.send(REFRESH, token="x" * 64)

    assert code_of(response) == "UNAUTHENTICATED"
    assert "Set-Cookie" not in response.headers


async def test_an_error_that_may_pass_leaves_the_cookie_alone(
    database_url: str, ada: RegisteredUser
) -> None:
    settings = settings_for(
        database_url, public_url=API, cors_origins=APP, refresh_limit_per_network="1/hour"
    )
    async with unprepared_app(settings) as app, client_at(app, API) as client:
        page = BrowserPage(client)
        await page.log_in(ada)
        await page.refresh()
        limited = await page.refresh()

    assert code_of(limited) == "TOO_MANY_ATTEMPTS"
    assert "Set-Cookie" not in limited.headers
    assert COOKIE in page.cookies


async def test_of_several_tokens_the_last_one_is_kept(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    log_in = f'login(username: "Ada", password: "{ada.password}") {{ accessToken refreshToken }}'
    document = f'mutation {{ a: {log_in} b: refresh(refreshToken: "cookie") {{ accessToken }} }}'
    response = await page.send(document)
    data = response.json()["data"]
    refreshed = (await page.refresh()).json()["data"]["refresh"]
    await page.data(LOGOUT, bearer=refreshed["accessToken"])

    assert data["a"]["refreshToken"] == "cookie"
    assert len(response.headers.get_list("set-cookie")) == 1
    assert code_of(await page.send(ME, bearer=data["a"]["accessToken"])) == "UNAUTHENTICATED"


async def test_the_cookie_is_set_although_another_field_fails(
    page: BrowserPage, ada: RegisteredUser
) -> None:
    """The token that the cookie held is used by then."""
    await page.log_in(ada)
    first = page.cookies[COOKIE]
    response = await page.send(
        'mutation { refresh(refreshToken: "cookie") { accessToken } deletePost(id: "1") }'
    )

    assert code_of(response) == "UNAUTHENTICATED"
    assert page.cookies[COOKIE] != first
    assert "errors" not in (await page.refresh()).json()


async def test_the_refresh_token_is_in_no_body_error_or_log(
    page: BrowserPage, ada: RegisteredUser, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        responses = [await page.send(LOGIN, username=ada.username, password=ada.password)]
        tokens = [page.cookies[COOKIE]]
        for _ in range(2):
            responses.append(await page.refresh())
            tokens.append(page.cookies[COOKIE])
        page.cookies[COOKIE] = tokens[0]
        await move_rotations_back(services, LATE)
        responses += [await page.refresh(), await page.send(LOGOUT)]
        responses.append(await page.send("mutation { login }"))

    assert "again" in caplog.text
    texts = [*(response.text for response in responses), caplog.text]
    assert not [text for text in texts for token in tokens if token in text]


@pytest.mark.parametrize("grant", ["password", "refresh_token"])
async def test_it_is_nothing_to_the_token_endpoint(
    page: BrowserPage, ada: RegisteredUser, grant: str
) -> None:
    await page.log_in(ada)
    form = {"username": "Ada", "password": ada.password, "refresh_token": "cookie"}
    response = await page.client.post(
        "/token",
        data=form | {"grant_type": grant},
        headers=page.headers | {"Cookie": f"{COOKIE}={page.cookies[COOKIE]}"},
    )

    assert "Set-Cookie" not in response.headers
    if grant == "password":
        assert len(response.json()["refresh_token"]) == 64
    else:
        assert response.json()["error"] == "invalid_grant"


async def test_it_authorises_nothing_else(page: BrowserPage, ada: RegisteredUser) -> None:
    await page.log_in(ada)
    logged_out_everywhere = await page.send(LOGOUT_EVERYWHERE)
    userinfo = await page.client.get(
        "/userinfo", headers=page.headers | {"Cookie": f"{COOKIE}={page.cookies[COOKIE]}"}
    )

    assert code_of(await page.send(ME)) == "UNAUTHENTICATED"
    assert code_of(logged_out_everywhere) == "UNAUTHENTICATED"
    assert userinfo.status_code == 401


def test_it_is_nothing_to_a_websocket(server: Server) -> None:
    register = 'mutation { register(input: {username: "Ada", email: "ada@example.com", password: "analytical engine"}) { refreshToken } }'
    refresh = 'mutation { refresh(refreshToken: "cookie") { accessToken } }'
    headers = {"Origin": server.url, "Gatehouse-Session": "cookie"}
    registered = httpx.post(f"{server.url}/graphql", json={"query": register}, headers=headers)
    cookie = registered.headers["Set-Cookie"].partition(";")[0]
    with open_socket(server, additional_headers=headers | {"Cookie": cookie}) as socket:
        initialize(socket)
        refused = execute(socket, refresh)
        log_in = (
            'mutation { login(username: "Ada", password: "analytical engine") { refreshToken } }'
        )
        token = execute(socket, log_in)["data"]["login"]["refreshToken"]

    assert cookie.startswith(f"{PLAIN_NAME}=")
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert len(token) == 64
