"""Passkeys on the account pages: add, use, rename and remove them."""

import re

from playwright.sync_api import Page, expect

from browser.account.factors.authenticators import Authenticator, add_authenticator
from browser.account.factors.steps import (
    begin_sign_in,
    let_proofs_pass,
    set_up_app,
    sign_out,
)
from browser.account.steps import APP, log_in, notice, open_page
from browser.sign_up import sign_up
from tests.servers import wait_until

BUTTON = "Sign in with a passkey"


def add_passkey(page: Page) -> None:
    open_page(page, "Sign-in and security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(notice(page)).to_have_text("Your passkey is added.")


def passkeys(page: Page) -> list[str]:
    found: list[str] = page.locator("main li strong").all_inner_texts()
    return found


def profile(page: Page) -> None:
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_a_passkey_is_added_and_signs_in_by_the_button(
    page: Page, device: Authenticator, name: str
) -> None:
    sign_up(page, name)
    add_passkey(page)
    row = page.locator("main li").filter(has_text="Firefox on Linux")
    expect(row).to_contain_text("On one device only")
    expect(row).to_contain_text("Not used yet")
    # The browser offers nothing by itself while the device waits for its user.
    device.answers(False)
    sign_out(page)
    device.answers(True)
    page.get_by_role("button", name=BUTTON).click()
    profile(page)
    open_page(page, "Sign-in and security")

    expect(row).to_contain_text("Last used now")
    assert page.evaluate("sessionStorage.length") == 0


def test_the_browser_offers_it_where_it_fills_in_the_username(
    page: Page, device: Authenticator, name: str
) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    sign_up(page, name)
    add_passkey(page)
    device.answers(False)
    sign_out(page)
    field = page.get_by_label("Username or email")
    expect(field).to_have_attribute("autocomplete", "username webauthn")
    # As if the user chose it from the list of the field.
    device.answers(True)
    page.goto(f"/account/login?return_to={APP}/inbox")

    page.wait_for_url(f"{APP}/inbox")


def test_a_page_asks_for_one_challenge(page: Page, device: Authenticator, name: str) -> None:
    sign_up(page, name)
    device.answers(False)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    with page.expect_response(lambda response: "StartPasskey" in str(response.request.post_data)):
        sign_out(page)
    log_in(page, name, "wrong engine")
    expect(page.get_by_text("The username or the password is wrong.")).to_be_visible()
    page.get_by_role("link", name="Create an account").click()
    page.go_back()
    log_in(page, name)
    profile(page)

    assert len([body for body in sent if "StartPasskeySignIn" in body]) == 1


# Counts how often the page asks the browser for a passkey.
COUNT = """
    const get = navigator.credentials.get.bind(navigator.credentials);
    globalThis.asked = 0;
    navigator.credentials.get = (options) => {
        globalThis.asked += 1;
        return get(options);
    };
"""


def test_a_challenge_is_renewed_before_it_expires(
    page: Page, device: Authenticator, name: str
) -> None:
    page.clock.install()
    page.add_init_script(COUNT)
    sign_up(page, name)
    add_passkey(page)
    device.answers(False)
    sign_out(page)
    # The policy of the page lets no script of Playwright wait.
    wait_until(lambda: page.evaluate("asked") == 1)
    page.clock.fast_forward("03:50")
    device.answers(True)
    with page.expect_request(lambda sent: "StartPasskeySignIn" in str(sent.post_data)):
        page.clock.fast_forward("00:11")

    profile(page)
    assert page.evaluate("asked") == 2


def test_a_device_that_has_one_gets_no_second(page: Page, device: Authenticator, name: str) -> None:
    sign_up(page, name)
    add_passkey(page)
    page.get_by_role("button", name="Add a passkey").click()

    expect(page.get_by_text("This device has a passkey of your account already.")).to_be_visible()
    assert len(device.credentials()) == 1


def test_a_synced_passkey_says_so(page: Page, name: str) -> None:
    add_authenticator(page, defaultBackupEligibility=True, defaultBackupState=True)
    sign_up(page, name)
    add_passkey(page)

    expect(page.locator("main li")).to_contain_text("Synced to your other devices")


def test_without_the_screen_lock_there_is_none(
    page: Page, device: Authenticator, name: str
) -> None:
    sign_up(page, name)
    device.verifies(False)
    open_page(page, "Sign-in and security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("No passkey was created.")).to_be_visible()
    assert device.credentials() == []
    device.verifies(True)
    page.get_by_role("button", name="Add a passkey").click()
    expect(notice(page)).to_have_text("Your passkey is added.")
    device.verifies(False)
    sign_out(page)
    page.get_by_role("button", name=BUTTON).click()

    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_removed_passkey_is_no_longer_offered(
    page: Page, device: Authenticator, name: str
) -> None:
    sign_up(page, name)
    add_passkey(page)
    assert len(device.credentials()) == 1
    page.get_by_role("button", name="Remove Firefox on Linux").click()
    dialog = page.get_by_role("dialog", name="Remove Firefox on Linux?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("main li")).to_have_count(1)
    page.get_by_role("button", name="Remove Firefox on Linux").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(notice(page)).to_have_text("The passkey is removed.")
    expect(page.get_by_text("You have no passkey.")).to_be_visible()

    # The browser was told which are left.
    assert device.credentials() == []


def test_a_passkey_that_was_removed_elsewhere_is_refused_and_forgotten(
    page: Page, device: Authenticator, name: str
) -> None:
    sign_up(page, name)
    add_passkey(page)
    # A browser that has another session, and no such device.
    other = page.context.new_page()
    other.goto("/account/security")
    other.get_by_role("button", name="Remove Firefox on Linux").click()
    other.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(other.get_by_text("You have no passkey.")).to_be_visible()
    other.close()
    assert len(device.credentials()) == 1
    device.answers(False)
    sign_out(page)
    device.answers(True)
    page.reload()
    expect(page.get_by_text("This passkey cannot be used here")).to_be_visible()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert device.credentials() == []


def test_a_passkey_is_renamed(page: Page, device: Authenticator, name: str) -> None:
    sign_up(page, name)
    add_passkey(page)
    page.get_by_role("button", name="Rename Firefox on Linux").click()
    dialog = page.get_by_role("dialog", name="Rename the passkey")
    field = dialog.get_by_label("Name of the passkey")
    expect(field).to_be_focused()
    expect(field).to_have_value("Firefox on Linux")
    field.fill("   ")
    dialog.get_by_role("button", name="Save").click()
    expect(field).to_have_accessible_description(re.compile("1 to 100 characters"))
    field.fill("My laptop")
    page.keyboard.press("Enter")
    expect(notice(page)).to_have_text("The passkey is renamed.")

    expect(page.get_by_role("button", name="Rename My laptop")).to_be_focused()
    assert passkeys(page) == ["My laptop"]


def test_a_passkey_proves_who_the_user_is(
    page: Page, device: Authenticator, database_url: str, name: str
) -> None:
    sign_up(page, name)
    add_passkey(page)
    let_proofs_pass(database_url)
    page.goto("/account/authenticator-app")
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog.get_by_label("Current password")).to_be_visible()
    dialog.get_by_role("button", name="Use a passkey").click()

    expect(page.locator(".secret")).to_be_visible()


def test_a_passkey_is_the_second_step_too(
    page: Page, device: Authenticator, database_url: str, name: str
) -> None:
    sign_up(page, name)
    add_passkey(page)
    set_up_app(page, database_url)
    device.answers(False)
    sign_out(page)
    begin_sign_in(page, name)
    device.answers(True)
    page.get_by_role("button", name="Use a passkey").click()
    profile(page)
    device.answers(False)
    sign_out(page)
    device.answers(True)
    page.reload()

    # By itself it is both factors.
    profile(page)


def test_elsewhere_the_pages_say_where_passkeys_work(
    page: Page, device: Authenticator, name: str
) -> None:
    page.add_init_script("delete PublicKeyCredential.parseRequestOptionsFromJSON")
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_have_attribute("autocomplete", "username")
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
    sign_up(page, name)
    open_page(page, "Sign-in and security")

    expect(page.get_by_text("This browser cannot use passkeys.")).to_be_visible()
