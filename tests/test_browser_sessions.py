"""Browser sessions: the refresh token is in a cookie that scripts cannot read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from settings import Settings
from tests.conftest import settings_for
from tests.operations import (
    LOGIN,
    LOGOUT,
    ME,
    REFRESH,
)
from tests.users import RegisteredUser

APP = "https://app.example.com"
SIBLING = "https://blog.example.com"
API = "https://accounts.example.com"
BY_COOKIE = {"Gatehouse-Session": "cookie"}
COOKIE = "__Host-gatehouse"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, public_url=f"{API}/", cors_origins=APP)


@dataclass
class Browser:
    """A page of one origin, and the cookies of its browser."""

    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=lambda: {"Origin": APP, **BY_COOKIE})
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(
        self, document: str, *, bearer: str | None = None, **variables: Any
    ) -> httpx.Response:
        headers = dict(self.headers)
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={self.cookies[name]}" for name in self.cookies)
        response = await self.client.post(
            "/graphql", json={"query": document, "variables": variables}, headers=headers
        )
        self._store(response)
        return response

    async def data(self, document: str, *, bearer: str | None = None, **variables: Any) -> Any:
        body = (await self.send(document, bearer=bearer, **variables)).json()
        assert "errors" not in body
        [value] = body["data"].values()
        return value

    async def log_in(self, user: RegisteredUser) -> str:
        """Return the access token of a new session."""
        token = await self.data(LOGIN, username=user.username, password=user.password)
        access_token: str = token["accessToken"]
        return access_token

    async def refresh(self) -> httpx.Response:
        return await self.send(REFRESH, token="cookie")

    def _store(self, response: httpx.Response) -> None:
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in cookie:
                self.cookies[name] = value


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    found: str = error["extensions"]["code"]
    return found


@pytest.fixture
async def https(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=API) as client:
        yield client


@pytest.fixture
def browser(https: httpx.AsyncClient) -> Browser:
    return Browser(https)


async def test_a_sign_in_puts_the_refresh_token_into_the_cookie_alone(
    browser: Browser, ada: RegisteredUser
) -> None:
    response = await browser.send(LOGIN, username=ada.username, password=ada.password)
    [cookie] = response.headers.get_list("set-cookie")
    value, *attributes = cookie.split("; ")

    assert response.json()["data"]["login"]["refreshToken"] == "cookie"
    assert value.startswith(f"{COOKIE}=")
    assert len(value) == len(COOKIE) + 1 + 64
    assert value.removeprefix(f"{COOKIE}=") not in response.text
    assert attributes == [
        "Path=/",
        f"Max-Age={timedelta(days=14).total_seconds():.0f}",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ]


async def test_the_cookie_is_refreshed_with_the_word_in_place_of_the_token(
    browser: Browser, ada: RegisteredUser
) -> None:
    await browser.log_in(ada)
    first = browser.cookies[COOKIE]
    refreshed = (await browser.refresh()).json()["data"]["refresh"]

    assert refreshed["refreshToken"] == "cookie"
    assert refreshed["user"]["username"] == "Ada"
    assert browser.cookies[COOKIE] != first
    assert await browser.data(ME, bearer=refreshed["accessToken"])


async def test_logout_clears_the_cookie(browser: Browser, ada: RegisteredUser) -> None:
    bearer = await browser.log_in(ada)
    await browser.data(LOGOUT, bearer=bearer)

    assert browser.cookies == {}
