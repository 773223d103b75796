"""What users do on the account pages, and what their other devices do."""

from typing import Any

import httpx
from playwright.sync_api import Page, expect

from browser.sign_up import PASSWORD
from tests.operations import LOGIN
from tests.servers import Server

APP = "http://app.example"
PAGES = {
    "Profile": "profile",
    "Sign-in and security": "security",
    "Sessions": "sessions",
    "Security events": "events",
    "Delete account": "delete",
}

# What the devices of the examples call themselves.
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)


def log_in(page: Page, name: str, secret: str = PASSWORD) -> None:
    page.get_by_label("Username or email").fill(name)
    password(page).fill(secret)
    page.get_by_role("button", name="Sign in", exact=True).click()


def password(page: Page, label: str = "Password") -> Any:
    return page.get_by_label(label, exact=True)


def open_page(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text("Loading…")).to_be_hidden()


def notice(page: Page) -> Any:
    return page.locator("main > .notice[role=status]")


def post(server: Server, query: str, variables: dict[str, Any], **headers: str) -> Any:
    body = {"query": query, "variables": variables}
    response = httpx.post(f"{server.url}/graphql", json=body, headers=headers).json()
    assert "errors" not in response, response
    return response["data"]


def log_in_elsewhere(
    server: Server, name: str, user_agent: str = SAFARI, ip: str = "203.0.113.20"
) -> str:
    headers = {"User-Agent": user_agent, "X-Forwarded-For": ip}
    data = post(server, LOGIN, {"username": name, "password": PASSWORD}, **headers)
    token: str = data["login"]["accessToken"]
    return token


def switch_language(page: Page, language: str) -> None:
    page.get_by_role("button", name=language).click()
