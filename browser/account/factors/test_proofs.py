"""The dialog of the account pages that asks users to prove again who they are."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from browser.account.factors.steps import (
    code_field,
    let_proofs_pass,
    set_up_app,
    sign_out,
)
from browser.account.steps import log_in, notice, open_page, password
from browser.sign_up import PASSWORD, sign_up


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog", name="Confirm that it is you")


def change_password(page: Page, to: str = "difference engine") -> None:
    page.goto("/account/password")
    password(page, "New password").fill(to)
    page.get_by_role("button", name="Change password").click()


def confirm(page: Page, secret: str = PASSWORD) -> None:
    dialog(page).get_by_label("Current password").fill(secret)
    dialog(page).get_by_role("button", name="Confirm").click()


def test_soon_after_a_sign_in_none_is_asked_for(page: Page, name: str) -> None:
    sign_up(page, name)
    change_password(page)

    expect(notice(page)).to_contain_text("Your password is changed.")
    expect(dialog(page)).to_have_count(0)


def test_the_password_proves_it_and_the_change_is_repeated(
    page: Page, database_url: str, name: str
) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    change_password(page)
    expect(dialog(page).get_by_label("Current password")).to_be_focused()
    confirm(page, "wrong engine")
    field = dialog(page).get_by_label("Current password")
    expect(field).to_have_accessible_description(re.compile("The current password is wrong."))
    confirm(page)
    expect(notice(page)).to_contain_text("Your password is changed.")
    expect(dialog(page)).to_have_count(0)
    sign_out(page)
    log_in(page, name, "difference engine")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_a_change_that_is_wrong_needs_no_proof(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    change_password(page, "password")

    expect(password(page, "New password")).to_have_accessible_description(re.compile("too common"))
    expect(dialog(page)).to_have_count(0)


def test_escape_and_cancel_change_nothing(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    for cancel in ("Escape", "Cancel"):
        change_password(page)
        expect(dialog(page)).to_be_visible()
        if cancel == "Escape":
            page.keyboard.press("Escape")
        else:
            dialog(page).get_by_role("button", name="Cancel").click()
        expect(dialog(page)).to_have_count(0)
        button = page.get_by_role("button", name="Change password")
        expect(button).to_be_enabled()
        expect(button).to_be_focused()
        expect(page.get_by_role("alert")).to_have_text("")
        expect(password(page, "New password")).to_have_value("difference engine")
    sign_out(page)
    log_in(page, name)

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_the_focus_stays_in_the_dialog(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    change_password(page)
    expect(dialog(page)).to_be_visible()
    inside = []
    for _ in range(12):
        page.keyboard.press("Tab")
        # The browser's own buttons are between the last field and the first.
        inside.append(
            page.evaluate(
                "document.activeElement === document.body"
                " || document.activeElement.closest('dialog') !== null"
            )
        )

    assert all(inside)


def test_with_an_app_a_code_proves_it(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    let_proofs_pass(database_url)
    page.get_by_role("button", name="Get new recovery codes").click()
    page.get_by_role("dialog").get_by_role("button", name="Get new recovery codes").click()
    expect(code_field(page)).to_be_focused()
    expect(dialog(page).get_by_label("Current password")).to_have_count(0)
    code_field(page).fill(app.wrong_code())
    dialog(page).get_by_role("button", name="Confirm").click()
    expect(code_field(page)).to_have_accessible_description(re.compile("wrong, expired"))
    code_field(page).fill(app.code())
    dialog(page).get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_a_recovery_code_proves_it_too(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    let_proofs_pass(database_url)
    page.get_by_role("button", name="Remove the app").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the app").click()
    dialog(page).get_by_role("button", name="Use a recovery code instead").click()
    dialog(page).get_by_label("Recovery code").fill(app.recovery_codes[0])
    dialog(page).get_by_role("button", name="Confirm").click()

    expect(notice(page)).to_have_text("The authenticator app is removed.")


def test_a_proof_in_one_tab_counts_in_the_other_and_keeps_both_signed_in(
    page: Page, database_url: str, name: str
) -> None:
    sign_up(page, name)
    other = page.context.new_page()
    other.goto("/account/sessions")
    expect(other.get_by_text("This device")).to_be_visible()
    let_proofs_pass(database_url)
    page.goto("/account/authenticator-app")
    confirm(page)
    expect(page.locator(".secret")).to_be_visible()
    other.get_by_role("navigation").get_by_role("link", name="Security events").click()
    expect(other.get_by_text("Account created")).to_be_visible()
    change_password(other)

    expect(notice(other)).to_contain_text("Your password is changed.")
    page.reload()
    expect(page.locator(".secret")).to_be_visible()


def test_a_deletion_needs_the_name_and_a_proof(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    open_page(page, "Delete account")
    field = page.get_by_label(f"Enter {name} to confirm")
    field.fill("someone")
    page.get_by_role("button", name="Delete my account").click()
    expect(field).to_have_accessible_description("This is not your username.")
    field.fill(name.upper())
    page.get_by_role("button", name="Delete my account").click()
    confirm(page)
    expect(notice(page)).to_have_text("Your account is deleted.")
    log_in(page, name)

    expect(page.get_by_text("The username or the password is wrong.")).to_be_visible()


def test_an_email_needs_a_proof(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_role("button", name="Save changes").click()
    confirm(page)

    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(page.get_by_label("Email")).to_have_value(f"{name}@example.org")


def test_a_session_that_ends_closes_the_dialog(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    let_proofs_pass(database_url)
    change_password(page)
    expect(dialog(page)).to_be_visible()
    other = page.context.new_page()
    other.goto("/account/sessions")
    sign_out(other)

    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
