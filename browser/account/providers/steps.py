"""What users do at a provider, and on the account pages with it."""

from typing import Any

from playwright.sync_api import Page, expect

from browser.account.steps import open_page


def log_in_there(page: Page, login: str, email: str | None = None, verified: bool = True) -> None:
    """Fill in the form of the provider."""
    page.get_by_label("Login").fill(login)
    page.get_by_label("Email").fill(email or f"{login}@example.com")
    page.get_by_label("verified").set_checked(verified)
    page.get_by_role("button", name="Continue", exact=True).click()


def leave(page: Page, button: str = "Continue with Work") -> None:
    """Leave for the provider, and wait for its form."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_label("Login")).to_be_visible()


def sign_up_by_provider(page: Page, name: str) -> None:
    page.goto("/account/login")
    leave(page)
    log_in_there(page, name)
    expect(username(page)).to_have_value(name)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def link(page: Page, name: str, email: str | None = None, verified: bool = True) -> None:
    """Link an account, from the profile."""
    open_page(page, "Sign-in and security")
    leave(page, "Link Work")
    log_in_there(page, name, email, verified)


def username(page: Page) -> Any:
    return page.get_by_label("Username", exact=True)


def linked(page: Page) -> Any:
    """Return the list of linked accounts."""
    return page.get_by_role("region", name="Linked accounts").get_by_role("listitem")
