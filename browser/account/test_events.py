"""The list of security events."""

from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, expect

from browser.account.steps import log_in_elsewhere, open_page, password
from browser.sign_up import PASSWORD, sign_up
from tests.servers import Server


def test_events_are_read_in_pages(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    for _ in range(44):
        log_in_elsewhere(server, name)
    open_page(page, "Security events")
    rows = page.locator("main ol > li")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Show more").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(40)
    expect(rows.nth(20)).to_be_focused()
    page.get_by_role("button", name="Show more").click()

    expect(rows).to_have_count(45)
    expect(rows.last).to_contain_text("Account created")
    expect(rows.nth(40)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_renewals_are_shown_if_asked_for(page: Page, name: str) -> None:
    sign_up(page, name)
    page.goto("/account/events")
    expect(page.get_by_text("Account created")).to_be_visible()
    expect(page.get_by_text("Session renewed")).to_have_count(0)
    page.get_by_label("Show renewals of sessions too").check()

    expect(page.get_by_text("Session renewed")).to_have_count(1)


def test_times_are_in_the_time_zone_and_the_locale_of_the_user(
    browser: Browser, server: Server, name: str
) -> None:
    context = browser.new_context(
        base_url=server.url, locale="de-AT", timezone_id="Pacific/Auckland"
    )
    page = context.new_page()
    page.goto("/account/sign-up?return_to=/account/events")
    page.get_by_label("Benutzername").fill(name)
    page.get_by_label("E-Mail").fill(f"{name}@example.com")
    password(page, "Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Konto erstellen").click()
    time = page.locator("main time").first
    shown, at = time.inner_text(), datetime.fromisoformat(time.get_attribute("datetime") or "")
    context.close()

    assert f"{at.astimezone(ZoneInfo('Pacific/Auckland')):%d.%m.%Y, %H:%M}" == shown
