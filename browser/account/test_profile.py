"""Changing the profile and the password, and deleting the account."""

import re

from playwright.sync_api import Page, expect

from browser.account.steps import log_in, log_in_elsewhere, notice, open_page, password
from browser.sign_up import sign_up
from tests.servers import Server


def test_the_profile_changes(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_label("Username").fill(f"{name}2")
    page.get_by_label("Picture address").fill("https://example.com/ada.png")
    page.get_by_role("button", name="Save changes").click()
    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(page.get_by_label(f"Signed in as {name}2")).to_be_visible()
    page.reload()

    expect(page.get_by_label("Username")).to_have_value(f"{name}2")
    expect(page.get_by_label("Picture address")).to_have_value("https://example.com/ada.png")


def test_a_new_email_is_saved(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_role("button", name="Save changes").click()

    expect(notice(page)).to_have_text("Your changes are saved.")
    page.reload()
    expect(page.get_by_label("Email")).to_have_value(f"{name}@example.org")


def test_nothing_is_sent_when_nothing_has_changed(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_role("button", name="Save changes").click()

    expect(notice(page)).to_have_text("There is nothing to save.")


def test_a_new_password_ends_the_other_sessions(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    log_in_elsewhere(server, name)
    open_page(page, "Sign-in and security")
    page.get_by_role("link", name="Change password").click()
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Change password").click()
    expect(notice(page)).to_have_text(re.compile("Your password is changed."))
    expect(password(page, "New password")).to_have_value("")
    open_page(page, "Sessions")
    expect(page.get_by_text("You are signed in nowhere else.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    log_in(page, name, "difference engine")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_an_account_is_deleted_with_its_name(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Delete account")
    field = page.get_by_label(f"Enter {name} to confirm")
    field.fill(f"{name}2")
    page.get_by_role("button", name="Delete my account").click()
    expect(field).to_have_accessible_description("This is not your username.")
    field.fill(name)
    page.get_by_role("button", name="Delete my account").click()
    expect(notice(page)).to_have_text("Your account is deleted.")
    log_in(page, name)

    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")


def test_users_download_what_is_stored_about_them(page: Page, name: str) -> None:
    sign_up(page, name)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download your data").click()
    data = download.value.path().read_text()

    assert download.value.suggested_filename == f"{name}.json"
    assert f'"{name}@example.com"' in data
