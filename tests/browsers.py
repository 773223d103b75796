"""A page in a browser that keeps its refresh token in a cookie."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from tests.operations import LOGIN, REFRESH
from tests.users import RegisteredUser

API = "https://accounts.example.com"
APP = "https://app.example.com"

# The name of the cookie over HTTPS.
COOKIE = "__Host-gatehouse"


@dataclass
class BrowserPage:
    """A page, which sends its origin and the header, and the cookies of its browser.

    They are a dict and no jar of httpx, which knows none of a browser's rules.
    """

    client: httpx.AsyncClient
    headers: dict[str, str] = field(
        default_factory=lambda: {"Origin": APP, "Gatehouse-Session": "cookie"}
    )
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(
        self, document: str, *, bearer: str | None = None, **variables: Any
    ) -> httpx.Response:
        headers = self.headers | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={self.cookies[name]}" for name in self.cookies)
        response = await self.client.post(
            "/graphql", json={"query": document, "variables": variables}, headers=headers
        )
        self.store(response)
        return response

    async def data(self, document: str, *, bearer: str | None = None, **variables: Any) -> Any:
        """Return the data of the only field of an operation. Fails if there are errors."""
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

    def store(self, response: httpx.Response) -> None:
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in cookie:
                self.cookies[name] = value


def client_at(app: FastAPI, url: str) -> httpx.AsyncClient:
    """Return a client of an application that is served under this URL."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)


def code_of(response: httpx.Response) -> str:
    """Return the code of the only error of a response."""
    [error] = response.json()["errors"]
    code: str = error["extensions"]["code"]
    return code
