"""What administrators do on their pages, and the users whom they help."""

import json
from dataclasses import dataclass
from typing import Any

import pyotp
from playwright.sync_api import Page, expect

from browser.account.factors.steps import execute
from browser.account.steps import FIREFOX, SAFARI, log_in_elsewhere, post
from browser.sign_up import PASSWORD, sign_up
from tests.operations import REGISTER
from tests.servers import Server

REASON = "Asked for by telephone"


@dataclass(frozen=True)
class User:
    id: str
    username: str
    token: str


def register(server: Server, name: str, ip: str = "203.0.113.20") -> User:
    """Register a user on another device."""
    variables = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    headers = {"User-Agent": SAFARI, "X-Forwarded-For": ip}
    token = post(server, REGISTER, variables, **headers)["register"]
    return User(token["user"]["id"], name, token["accessToken"])


def add_app(server: Server, database_url: str, user: User) -> None:
    """Verify the email of a user, and set up an authenticator app."""
    verify_email(database_url, user)
    token = log_in_elsewhere(server, user.username)
    headers = {"Authorization": f"Bearer {token}", "User-Agent": FIREFOX}
    secret = post(server, "mutation { startTotp { secret } }", {}, **headers)["startTotp"]["secret"]
    code = pyotp.TOTP(secret).now()
    post(server, f"mutation {{ confirmTotp(code: {json.dumps(code)}) }}", {}, **headers)


def verify_email(database_url: str, user: User) -> None:
    execute(
        database_url,
        "UPDATE users SET email_verified_at = '2026-01-01 00:00:00.000000'"
        f" WHERE username = '{user.username}'",
    )


def sign_up_with_role(page: Page, database_url: str, name: str, role: str | None = "ADMIN") -> None:
    """Sign up in this browser, get a role, and open the page to search."""
    sign_up(page, name)
    if role:
        grant(database_url, name, role)
    page.goto("/account/admin")
    expect(page.locator("main .loading")).to_have_count(0)


def grant(database_url: str, name: str, role: str) -> None:
    """Grant a role, as the operator does."""
    execute(
        database_url,
        "INSERT INTO user_roles (user_id, role, created_at) SELECT id,"
        f" '{role}', '2026-01-01 00:00:00.000000' FROM users WHERE username = '{name}'",
    )


def search(page: Page, text: str) -> None:
    page.get_by_label("Username, email or id").fill(text)
    page.get_by_role("button", name="Search").click()


def found(page: Page) -> Any:
    return page.locator("main ol.rows li a")


def open_account(page: Page, user: User) -> None:
    page.goto(f"/account/admin-account?id={user.id}")
    expect(page.get_by_role("heading", name=user.username)).to_be_visible()
    # The last of what the page reads.
    expect(page.locator("section ol.rows li").first).to_be_visible()


def buttons(page: Page) -> list[str]:
    """Return what the page offers to do."""
    section = page.get_by_role("region", name="What you can do")
    names: list[str] = section.locator(".buttons button").all_inner_texts()
    return names


def dialog(page: Page, label: str) -> Any:
    return page.get_by_role("dialog", name=f"{label}: ")


def act(page: Page, label: str, **fields: str) -> None:
    """Open the dialog of an act, fill in its fields, and confirm. `reason` is "Reason"."""
    page.get_by_role("button", name=label, exact=True).click()
    for name, text in fields.items():
        dialog(page, label).get_by_label(name.capitalize()).fill(text)
    dialog(page, label).get_by_role("button", name=label, exact=True).click()


def events(page: Page) -> Any:
    return page.get_by_role("region", name="Security events").locator("ol")
