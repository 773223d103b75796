"""An authenticator app on the account pages: the set-up, and the second step of a sign-in."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.account.factors.steps import (
    begin_sign_in,
    code_field,
    enter_code,
    secret,
    set_up_app,
    sign_out,
)
from browser.account.steps import APP, log_in, log_in_elsewhere, notice, open_page
from browser.sign_up import sign_up
from tests.servers import Server


def profile(page: Page) -> None:
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_an_app_is_set_up_and_then_signs_in(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    sign_up(page, name)
    log_in_elsewhere(server, name)
    app = set_up_app(page, database_url)
    expect(page.get_by_text("Signing in needs a code of your app.")).to_be_visible()
    open_page(page, "Sessions")
    expect(page.get_by_text("You are signed in nowhere else.")).to_be_visible()
    sign_out(page)
    begin_sign_in(page, name)
    expect(code_field(page)).to_be_focused()
    expect(code_field(page)).to_have_attribute("autocomplete", "one-time-code")
    expect(code_field(page)).to_have_attribute("inputmode", "numeric")
    code = app.code()
    enter_code(page, f"{code[:3]} {code[3:]}")

    profile(page)
    assert page.evaluate("sessionStorage.length") == 0


def test_the_set_up_shows_a_picture_and_a_key_of_this_page_alone(page: Page, name: str) -> None:
    sign_up(page, name)
    page.goto("/account/authenticator-app")
    picture = page.get_by_role("img", name="QR code for the authenticator app")
    expect(picture).to_be_visible()

    assert picture.evaluate("image => image.naturalWidth") > 0
    assert str(picture.get_attribute("src")).startswith("data:image/svg+xml,")
    link = page.get_by_role("link", name="Open an app on this device").get_attribute("href")
    assert re.match(rf"otpauth://totp/\w+:{name}\?secret={secret(page)}&", str(link))
    assert re.fullmatch("([A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.locator(".secret").inner_text())


def test_a_wrong_code_is_named_at_its_field(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    sign_out(page)
    begin_sign_in(page, name)
    enter_code(page, app.wrong_code())
    expect(code_field(page)).to_be_focused()
    expect(code_field(page)).to_have_accessible_description(re.compile("wrong, expired or already"))
    enter_code(page, app.code())

    profile(page)


def test_a_recovery_code_signs_in_once(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    for code in (app.recovery_codes[0], app.recovery_codes[1].lower().replace("-", "")):
        sign_out(page)
        begin_sign_in(page, name)
        page.get_by_role("button", name="Use a recovery code instead").click()
        expect(page.get_by_label("Recovery code")).to_be_focused()
        page.get_by_label("Recovery code").fill(app.recovery_codes[0])
        page.get_by_role("button", name="Sign in", exact=True).click()
        if code != app.recovery_codes[0]:
            expect(page.get_by_label("Recovery code")).to_have_accessible_description(
                re.compile("wrong or already used")
            )
            page.get_by_label("Recovery code").fill(code)
            page.get_by_role("button", name="Sign in", exact=True).click()
        profile(page)
    open_page(page, "Sign-in and security")

    expect(page.get_by_text("8 recovery codes are left.")).to_be_visible()


def test_five_wrong_codes_lead_back_to_the_first_step(
    page: Page, database_url: str, name: str
) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    sign_out(page)
    begin_sign_in(page, name)
    for number in range(5):
        expect(code_field(page)).to_have_value("")
        with page.expect_response("**/graphql"):
            enter_code(page, app.wrong_code())
        if number < 4:
            expect(code_field(page)).to_have_attribute("aria-invalid", "true")
            code_field(page).fill("")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(notice(page)).to_have_text("Too many wrong codes. Begin again.")
    begin_sign_in(page, name)
    enter_code(page, app.code())

    profile(page)


def test_a_sign_in_that_takes_too_long_begins_again(
    page: Page, database_url: str, name: str
) -> None:
    page.clock.install()
    sign_up(page, name)
    set_up_app(page, database_url)
    sign_out(page)
    begin_sign_in(page, name)
    page.clock.fast_forward("09:50")
    expect(code_field(page)).to_be_visible()
    page.clock.fast_forward("00:11")

    expect(notice(page)).to_have_text("The sign-in took too long. Begin again.")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/account/second-factor")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_second_step_outlives_a_reload_and_returns_to_an_application(
    page: Page, database_url: str, name: str
) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    sign_up(page, name)
    app = set_up_app(page, database_url)
    sign_out(page)
    page.goto(f"/account/login?return_to={APP}/inbox")
    begin_sign_in(page, name)
    page.reload()
    expect(page.get_by_text("After signing in, you go back to app.example.")).to_be_visible()
    enter_code(page, app.code())

    page.wait_for_url(f"{APP}/inbox")


def test_the_second_step_is_nothing_without_the_first(page: Page, name: str) -> None:
    page.goto("/account/second-factor?return_to=/account/sessions")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/account/login\?return_to=/account/sessions$"))


def test_opening_the_set_up_again_keeps_the_app_that_works(
    page: Page, database_url: str, name: str
) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    page.get_by_role("link", name="Replace the app").click()
    expect(page.get_by_text("Your present app keeps working until then.")).to_be_visible()
    first = secret(page)
    page.reload()
    expect(page.get_by_role("img")).to_be_visible()
    assert secret(page) == first != app.secret
    sign_out(page)
    begin_sign_in(page, name)
    enter_code(page, app.code())

    profile(page)


def test_a_wrong_code_sets_up_nothing(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    page.goto("/account/authenticator-app")
    first = secret(page)
    for _ in range(5):
        with page.expect_response("**/graphql"):
            enter_code(page, "000000", "Turn on")
        expect(code_field(page)).to_have_attribute("aria-invalid", "true")
        code_field(page).fill("")
    # The key is dead by now, and the page shows the next one.
    expect(notice(page)).to_contain_text("there is a new one")
    expect(page.locator(".secret")).not_to_have_text(re.compile(first[:4]))
    page.goto("/account/security")

    expect(page.get_by_role("link", name="Set up an authenticator app")).to_be_visible()


def test_the_app_is_removed_after_a_confirmation(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    set_up_app(page, database_url)
    button = page.get_by_role("button", name="Remove the app")
    button.click()
    dialog = page.get_by_role("dialog", name="Remove the app")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    dialog.get_by_role("button", name="Remove the app").click()
    expect(notice(page)).to_have_text("The authenticator app is removed.")
    sign_out(page)
    log_in(page, name)

    profile(page)


class TestRecoveryCodes:
    def test_new_ones_replace_the_others(self, page: Page, database_url: str, name: str) -> None:
        sign_up(page, name)
        app = set_up_app(page, database_url)
        page.get_by_role("button", name="Get new recovery codes").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Get new recovery codes").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_focused()
        new = page.locator(".recovery-codes code").all_inner_texts()
        page.get_by_role("button", name="I have saved the codes").click()
        expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()

        assert len({*new, *app.recovery_codes}) == 20

    def test_they_are_copied_downloaded_and_printed(
        self, page: Page, database_url: str, name: str
    ) -> None:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_up(page, name)
        set_up_app(page, database_url)
        page.get_by_role("button", name="Get new recovery codes").click()
        page.get_by_role("dialog").get_by_role("button", name="Get new recovery codes").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        codes = page.locator(".recovery-codes code").all_inner_texts()
        text = f"Recovery codes of {name} at Gatehouse\n\n" + "\n".join(codes) + "\n"
        page.get_by_role("button", name="Copy").click()
        expect(notice(page)).to_have_text("The codes are copied.")
        assert page.evaluate("navigator.clipboard.readText()") == text
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        assert download.value.suggested_filename == "recovery-codes.txt"
        assert download.value.path().read_text() == text
        page.evaluate("window.print = () => (window.printed = true)")
        page.get_by_role("button", name="Print").click()
        assert page.evaluate("printed")
        page.emulate_media(media="print")

        shown = page.locator("body").inner_text().split("\n")
        kept = [line for line in shown if line]
        assert kept == ["Recovery codes", f"Recovery codes of {name} at Gatehouse", *codes]

    @pytest.mark.parametrize(("left", "warns"), [(3, False), (2, True), (1, True)])
    def test_the_page_warns_before_they_run_out(
        self, page: Page, server: Server, database_url: str, name: str, left: int, warns: bool
    ) -> None:
        sign_up(page, name)
        app = set_up_app(page, database_url)
        for code in app.recovery_codes[left:]:
            sign_out_and_in(page, name, code)
        open_page(page, "Sign-in and security")
        expect(page.get_by_text("recovery code")).not_to_have_count(0)

        expect(page.get_by_text("Get new ones before they run out")).to_have_count(int(warns))


def sign_out_and_in(page: Page, name: str, recovery_code: str) -> None:
    sign_out(page)
    begin_sign_in(page, name)
    page.get_by_role("button", name="Use a recovery code instead").click()
    page.get_by_label("Recovery code").fill(recovery_code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    profile(page)
