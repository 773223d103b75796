"""What administrators do to an account."""

import json
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from browser.account.admin.steps import (
    REASON,
    act,
    add_app,
    buttons,
    dialog,
    events,
    grant,
    open_account,
    register,
    sign_up_with_role,
    verify_email,
)
from browser.account.factors.steps import execute, let_proofs_pass
from browser.account.steps import log_in, notice
from browser.sign_up import PASSWORD
from tests.servers import Server

OF_SUPPORT = ["Disable the account", "End all sessions", "Require a new password"]
OF_ADMINS = [
    *OF_SUPPORT,
    "Correct the username or the email",
    "Grant a role",
    "Act in place of the user",
    "Export the data",
    "Delete the account",
    "Delete the account and erase its data",
]


def test_a_disabled_account_says_so_at_the_sign_in_until_it_is_enabled(
    page: Page, browser: Browser, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    act(page, "Disable the account", reason=REASON)
    expect(notice(page)).to_have_text("The account is disabled.")
    expect(page.get_by_text(f"Reason: {REASON}")).to_be_visible()
    expect(events(page)).to_contain_text(f"By an administrator: {name}")
    expect(events(page)).to_contain_text(f"Detail: {REASON}")
    expect(page.get_by_role("region", name="Sessions")).to_contain_text("None is active.")
    other = browser.new_context(base_url=server.url, locale="en-GB").new_page()
    other.goto("/account/login")
    log_in(other, user.username)
    expect(other.get_by_text("This account is disabled.")).to_be_visible()
    act(page, "Enable the account", reason="Promised to stop")
    expect(notice(page)).to_have_text("The account is enabled.")
    expect(events(page)).to_contain_text("Detail: Promised to stop")
    other.get_by_role("button", name="Sign in", exact=True).click()

    expect(other.get_by_role("heading", name="Profile")).to_be_visible()
    other.context.close()


def test_an_act_needs_a_reason_on_one_line_and_can_be_cancelled(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    act(page, "Disable the account")
    reason = page.get_by_role("dialog").get_by_label("Reason")
    expect(reason).to_have_accessible_description(
        "On one line. It is kept, and the user can read it. Fill in this field."
    )
    reason.fill("x" * 181)
    page.get_by_role("dialog").get_by_role("button", name="Disable the account").click()
    expect(page.get_by_text("A reason must have 1 to 180 characters")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Disable the account")).to_be_focused()


def test_a_required_password_leads_the_user_to_the_reset(
    page: Page, browser: Browser, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    act(page, "Require a new password", reason=REASON)
    expect(notice(page)).to_have_text("A new password is required.")
    expect(page.get_by_text("A new password is required", exact=True)).to_be_visible()
    other = browser.new_context(base_url=server.url, locale="de").new_page()
    other.goto("/account/login")
    other.get_by_label("Benutzername oder E-Mail").fill(user.username)
    other.get_by_label("Passwort", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Anmelden", exact=True).click()
    expect(other.get_by_text("Dieses Passwort gilt nicht mehr.")).to_be_visible()
    other.get_by_role("link", name="Link anfordern").click()

    expect(other.get_by_role("heading", name="Passwort zurücksetzen")).to_be_visible()
    other.context.close()


def test_second_factors_are_removed_and_sessions_ended(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    add_app(server, database_url, user)
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    act(page, "Remove the second factors", reason=REASON)

    expect(notice(page)).to_have_text("The second factors are removed.")
    expect(page.get_by_role("region", name="Second factors")).to_contain_text("None.")
    expect(page.get_by_role("button", name="Remove the second factors")).to_have_count(0)


def test_all_sessions_are_ended(page: Page, server: Server, database_url: str, name: str) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    act(page, "End all sessions", reason=REASON)

    expect(notice(page)).to_have_text("The sessions have ended.")
    expect(page.get_by_role("region", name="Sessions")).to_contain_text("None is active.")
    expect(page.get_by_role("button", name="End all sessions")).to_have_count(0)


def test_a_role_is_granted_after_a_proof_and_revoked(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    verify_email(database_url, user)
    sign_up_with_role(page, database_url, name)
    let_proofs_pass(database_url)
    open_account(page, user)
    page.get_by_role("button", name="Grant a role").click()
    dialog(page, "Grant a role").get_by_label("Role").select_option("Support")
    dialog(page, "Grant a role").get_by_label("Reason").fill(REASON)
    dialog(page, "Grant a role").get_by_role("button", name="Grant a role").click()
    proof = page.get_by_role("dialog", name="Confirm that it is you")
    proof.get_by_label("Current password").fill(PASSWORD)
    proof.get_by_role("button", name="Confirm").click()
    expect(notice(page)).to_have_text("The role is granted.")
    expect(page.locator(".badge")).to_have_text("Support")
    expect(events(page)).to_contain_text(f"Detail: SUPPORT: {REASON}")
    # The administrator cannot act in place of someone who has a role.
    expect(page.get_by_role("button", name="Act in place of the user")).to_have_count(0)
    act(page, "Revoke a role", reason=REASON)

    expect(notice(page)).to_have_text("The role is revoked.")
    expect(page.locator(".badge")).to_have_count(0)


def test_the_last_administrator_stays_one(page: Page, database_url: str, name: str) -> None:
    execute(database_url, "DELETE FROM user_roles")
    sign_up_with_role(page, database_url, name)
    page.get_by_role("link", name=name, exact=True).click()
    act(page, "Revoke a role", reason=REASON)

    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(
        "This is the last administrator. Grant the role to another user first."
    )


def test_a_username_and_an_email_are_corrected(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user, taken = register(server, f"{name}-bae"), register(server, f"{name}-bob")
    sign_up_with_role(page, database_url, name)
    open_account(page, user)
    label = "Correct the username or the email"
    act(page, label, reason=REASON)
    expect(page.get_by_text("There is nothing to correct.")).to_be_visible()
    form = dialog(page, label)
    form.get_by_label("Username").fill(taken.username)
    form.get_by_role("button", name=label).click()
    expect(form.get_by_label("Username")).to_have_accessible_description(
        "This username, or one that looks the same, is already taken."
    )
    form.get_by_label("Username").fill(f"{name}-bea")
    form.get_by_label("Email", exact=True).fill(f"{name}@example.org")
    form.get_by_label("I know that the user reads mail").check()
    form.get_by_role("button", name=label).click()

    expect(notice(page)).to_have_text("The account is corrected.")
    account = page.get_by_role("region", name=f"{name}-bea")
    expect(account).to_contain_text(f"{name}@example.org (verified)")


def test_the_data_is_exported_as_a_file(
    page: Page, server: Server, database_url: str, name: str, tmp_path: Path
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    open_account(page, user)
    with page.expect_download() as download:
        act(page, "Export the data", reason=REASON)
    download.value.save_as(tmp_path / "data.json")

    assert download.value.suggested_filename == f"{user.username}.json"
    assert user.id in json.dumps(json.loads((tmp_path / "data.json").read_text()))
    expect(notice(page)).to_have_text("The data is exported.")
    expect(events(page)).to_contain_text("Data of the account exported")


def test_a_deletion_needs_the_username(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    for label, done in {
        "Delete the account": "The account is deleted.",
        "Delete the account and erase its data": "The account is deleted, and its data erased.",
    }.items():
        open_account(page, user)
        page.get_by_role("button", name=label, exact=True).click()
        form = dialog(page, label)
        form.get_by_label("Reason").fill(REASON)
        field = form.get_by_label(f"Enter {user.username} to confirm")
        field.fill(name)
        form.get_by_role("button", name=label, exact=True).click()
        expect(field).to_have_accessible_description("This is not the username.")
        field.fill(user.username)
        form.get_by_role("button", name=label, exact=True).click()

        expect(notice(page)).to_have_text(done)
        expect(page.get_by_role("heading", name="Administration")).to_be_visible()
        user = register(server, f"{name}-bob")


def test_each_role_is_offered_what_it_permits(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user, colleague = register(server, f"{name}-bea"), register(server, f"{name}-bob")
    grant(database_url, colleague.username, "SUPPORT")
    sign_up_with_role(page, database_url, name, "SUPPORT")
    open_account(page, user)
    assert buttons(page) == OF_SUPPORT
    open_account(page, colleague)
    assert buttons(page) == []
    expect(page.get_by_text("Your roles do not permit changes of an account")).to_be_visible()
    grant(database_url, name, "ADMIN")
    open_account(page, user)

    assert buttons(page) == OF_ADMINS
