"""Linking and unlinking accounts at a provider, on the page "Sign-in and security"."""

import re

from playwright.sync_api import Page, expect

from browser.account.factors.steps import let_proofs_pass, sign_out
from browser.account.providers.steps import leave, link, linked, log_in_there, sign_up_by_provider
from browser.account.steps import notice, open_page, password
from browser.sign_up import PASSWORD, sign_up


def unlink(page: Page) -> None:
    page.get_by_role("button", name="Unlink Work").click()
    dialog = page.get_by_role("dialog", name="Unlink Work?")
    dialog.get_by_role("button", name="Unlink").click()


def confirm(page: Page) -> None:
    """Prove who one is in the dialog that asks for it."""
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    password(page, "Current password").fill(PASSWORD)
    dialog.get_by_role("button", name="Confirm").click()


def test_an_account_is_linked_and_unlinked(page: Page, name: str) -> None:
    sign_up(page, name)
    link(page, f"{name}-there")
    expect(notice(page)).to_contain_text("The account is linked.")
    expect(linked(page)).to_contain_text("Work")
    expect(linked(page)).to_contain_text(f"{name}-there@example.com")
    expect(page.get_by_role("button", name="Link Work", exact=True)).to_have_count(0)
    assert page.url.endswith("/account/security")
    assert page.evaluate("sessionStorage.length") == 0
    unlink(page)
    expect(notice(page)).to_have_text("The account is unlinked.")
    expect(page.get_by_text("No other account is linked.")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Continue with Work").click()

    # It has become an account of its own, which needs a username.
    expect(page.get_by_role("heading", name="Finish the sign-in")).to_be_visible()


def test_a_confirmation_can_be_cancelled(page: Page, name: str) -> None:
    sign_up(page, name)
    link(page, f"{name}-there")
    page.get_by_role("button", name="Unlink Work").click()
    page.keyboard.press("Escape")

    expect(linked(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Unlink Work")).to_be_focused()


def test_both_need_a_proof(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    open_page(page, "Sign-in and security")
    page.get_by_role("button", name="Link Work", exact=True).click()
    confirm(page)
    log_in_there(page, f"{name}-there")
    expect(notice(page)).to_contain_text("The account is linked.")
    let_proofs_pass(database_url)
    unlink(page)
    confirm(page)

    expect(notice(page)).to_have_text("The account is unlinked.")


def test_who_has_no_password_proves_it_by_signing_in_again(
    page: Page, database_url: str, name: str
) -> None:
    sign_up_by_provider(page, name)
    let_proofs_pass(database_url)
    open_page(page, "Sign-in and security")
    unlink(page)
    page.get_by_role("dialog").get_by_role("button", name="Sign in again").click()
    page.get_by_role("button", name="Continue with Work").click()
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    unlink(page)

    expect(page.get_by_text("You could not sign in any more.")).to_be_visible()
    expect(linked(page)).to_have_count(1)


def test_with_a_password_the_last_link_can_go(page: Page, name: str) -> None:
    sign_up_by_provider(page, name)
    open_page(page, "Sign-in and security")
    page.get_by_role("link", name="Set a password").click()
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Set password").click()
    expect(notice(page)).to_contain_text("Your password is set.")
    open_page(page, "Sign-in and security")
    unlink(page)

    expect(notice(page)).to_have_text("The account is unlinked.")


def test_an_account_of_another_user_is_not_linked(page: Page, name: str) -> None:
    sign_up_by_provider(page, name)
    sign_out(page)
    sign_up(page, f"{name}-2")
    open_page(page, "Sign-in and security")
    page.get_by_role("button", name="Link Work", exact=True).click()

    expect(page.get_by_role("alert").filter(has_text=re.compile("linked to another"))).to_have_text(
        "This account of the provider is linked to another user."
    )
    expect(linked(page)).to_have_count(0)


def test_a_user_who_cancels_a_link_comes_back_to_the_page(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sign-in and security")
    leave(page, "Link Work")
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    expect(page.get_by_text("You cancelled the sign-in with Work.")).to_be_in_viewport()
    assert page.url.endswith("/account/security")


def test_a_link_of_a_session_that_has_ended_says_so(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sign-in and security")
    leave(page, "Link Work")
    other = page.context.new_page()
    other.goto("/account/profile")
    sign_out(other)
    log_in_there(page, f"{name}-there")
    page.get_by_label("Username or email").fill(name)
    password(page).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_text("was already used or began elsewhere.")).to_be_in_viewport()
    expect(linked(page)).to_have_count(0)
