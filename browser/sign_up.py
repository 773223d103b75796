"""Signing up on the account pages."""

import itertools

from playwright.sync_api import Page, expect

PASSWORD = "analytical engine"

_numbers = itertools.count()


def new_name() -> str:
    """Return a username that no other test has."""
    return f"ada{next(_numbers)}x"


def sign_up(page: Page, name: str) -> None:
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
