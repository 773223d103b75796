"""The list of sessions, and sessions that end elsewhere."""

import re

import httpx
from playwright.sync_api import Page, expect

from browser.account.steps import (
    EDGE,
    FIREFOX,
    SAFARI,
    log_in,
    log_in_elsewhere,
    notice,
    open_page,
    post,
)
from browser.sign_up import sign_up
from tests.operations import LOGOUT_EVERYWHERE
from tests.servers import Server


def test_sessions_show_device_place_and_time_and_can_be_ended(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    phone = log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
    log_in_elsewhere(server, name, EDGE, "198.51.100.7")
    log_in_elsewhere(server, name, FIREFOX, "198.51.100.8")
    open_page(page, "Sessions")
    rows = page.locator("main li")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Firefox on Linux This device")
    row = rows.filter(has_text="203.0.113.20")
    expect(row).to_contain_text("Mobile Safari on iOS")
    expect(row).to_contain_text("Last used now")
    page.get_by_role("button", name="End session: Mobile Safari on iOS, 203.0.113.20").click()
    expect(notice(page)).to_have_text("The session has ended.")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("heading", name="Sessions")).to_be_focused()
    me = httpx.post(
        f"{server.url}/graphql",
        json={"query": "{ me { id } }"},
        headers={"Authorization": f"Bearer {phone}"},
    ).json()
    assert me["data"] == {"me": None}
    page.get_by_role("button", name="End all other sessions").click()

    expect(notice(page)).to_have_text("2 other sessions have ended.")
    expect(rows).to_have_count(1)


def test_a_session_that_is_ended_elsewhere_asks_to_sign_in_and_comes_back(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    token = log_in_elsewhere(server, name)
    post(server, LOGOUT_EVERYWHERE, {"but": True}, Authorization=f"Bearer {token}")
    page.get_by_role("navigation").get_by_role("link", name="Sessions").click()
    expect(notice(page)).to_have_text("Your session has ended. Sign in to continue.")
    log_in(page, name)

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page).to_have_url(re.compile("/account/sessions$"))


def test_another_tab_signs_out_too(page: Page, name: str) -> None:
    sign_up(page, name)
    other = page.context.new_page()
    other.goto("/account/events")
    expect(other.get_by_text("Account created")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
