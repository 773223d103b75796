"""Signing up on the account pages."""

from playwright.sync_api import Page, expect

PASSWORD = "analytical engine"


def sign_up(page: Page, name: str) -> None:
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_be_hidden()


def sign_out(page: Page) -> None:
    """Sign out, and wait until the server knows it: a page that is left may not have asked yet."""
    with page.expect_response("**/graphql"):
        page.get_by_role("button", name="Sign out").click()
