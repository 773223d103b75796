"""What happens elsewhere appears on the pages without a reload."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from browser.account.steps import (
    EDGE,
    FIREFOX,
    SAFARI,
    log_in_elsewhere,
    notice,
    open_page,
    post,
    switch_language,
)
from browser.frames import frames_of, wait_for_frame
from browser.sign_up import sign_up
from domain.subscriptions import MAX_CONNECTIONS_PER_SESSION
from tests.operations import LOGOUT_EVERYWHERE, UPDATE_ME
from tests.servers import Server

# A poll of the server each second, and a busy machine.
SOON_SECONDS = 5

LOGOUT = "mutation { logout }"


def rows(page: Page) -> Any:
    return page.locator("main .rows > li")


def announced(page: Page) -> Any:
    return page.locator("main .hidden[role=status]")


def test_sessions_that_start_and_end_elsewhere_appear(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    open_page(page, "Sessions")
    phone = log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
    expect(rows(page)).to_have_count(2)
    new = rows(page).nth(1)
    expect(new).to_contain_text("Mobile Safari on iOS New")
    expect(announced(page)).to_have_text("New session: Mobile Safari on iOS, 203.0.113.20.")
    log_in_elsewhere(server, name, EDGE, "198.51.100.7")
    expect(rows(page)).to_have_count(3)
    button = new.get_by_role("button", name="End session")
    before = button.bounding_box()
    post(server, LOGOUT, {}, Authorization=f"Bearer {phone}")
    expect(new).to_contain_text("Mobile Safari on iOS Ended")
    expect(announced(page)).to_have_text("Session ended: Mobile Safari on iOS, 203.0.113.20.")

    # The pointer may have been on its way to a button.
    assert button.bounding_box() == before
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(rows(page).nth(2)).to_contain_text("New")


def test_events_appear_as_they_happen(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Security events")
    expect(rows(page)).to_have_count(1)
    token = log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("Signed in New")
    expect(announced(page).last).to_have_text("New: Signed in")
    post(server, LOGOUT, {}, Authorization=f"Bearer {token}")
    expect(rows(page)).to_have_count(3)
    expect(rows(page).first).to_contain_text("Session ended New")

    page.reload()
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_text("New", exact=True)).to_have_count(0)


def test_events_that_were_missed_are_read(page: Page, server: Server, name: str) -> None:
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/graphql$"), pass_on)
    sign_up(page, name)
    open_page(page, "Security events")
    log_in_elsewhere(server, name)
    expect(rows(page)).to_have_count(2)
    lost = sockets[-1]
    log_in_elsewhere(server, name)
    lost.close(code=1012)
    expect(rows(page)).to_have_count(3)
    log_in_elsewhere(server, name)

    expect(rows(page)).to_have_count(4)
    assert sockets[-1] is not lost


def test_renewals_are_followed_if_asked_for(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Security events")
    page.get_by_label("Show renewals of sessions too").check()
    expect(rows(page)).to_have_count(1)
    other = page.context.new_page()
    other.goto("/account/security")
    other.evaluate(
        """() => fetch("../graphql", {
            method: "POST",
            headers: { "Content-Type": "application/json", "Gatehouse-Session": "cookie" },
            body: JSON.stringify({ query: 'mutation { refresh(refreshToken: "cookie") { expiresIn } }' }),
        })"""
    )

    expect(rows(page).first).to_contain_text("Session renewed New")


@pytest.mark.parametrize("title", ["Profile", "Sessions", "Security events"])
def test_a_session_that_is_ended_elsewhere_shows_the_sign_in(
    page: Page, server: Server, name: str, title: str
) -> None:
    sign_up(page, name)
    open_page(page, title)
    token = log_in_elsewhere(server, name)
    if title != "Profile":
        expect(rows(page)).to_have_count(2)
    started = time.monotonic()
    post(server, LOGOUT_EVERYWHERE, {"but": True}, Authorization=f"Bearer {token}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)
    seconds = time.monotonic() - started

    print(f"{title}: signed out after {seconds:.2f} s")
    assert seconds < SOON_SECONDS
    expect(notice(page)).to_have_text("Your session has ended. Sign in to continue.")


def test_the_profile_follows_other_devices(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    by = {"Authorization": f"Bearer {log_in_elsewhere(server, name)}"}
    picture = "https://example.com/ada.png"
    post(server, UPDATE_ME, {"input": {"username": f"{name}2", "imageFile": picture}}, **by)
    expect(page.get_by_label("Username")).to_have_value(f"{name}2")
    expect(page.get_by_label("Picture address")).to_have_value(picture)
    expect(page.get_by_label(f"Signed in as {name}2")).to_be_visible()
    expect(announced(page).first).to_have_text(
        "Your profile was changed on another page or device."
    )
    page.get_by_label("Picture address").fill("https://example.com/typed.png")
    page.get_by_label("Email").fill("typed@example.com")
    post(server, UPDATE_ME, {"input": {"username": f"{name}3", "imageFile": None}}, **by)
    expect(page.get_by_label("Username")).to_have_value(f"{name}3")

    # What the user has typed stays.
    expect(page.get_by_label("Picture address")).to_have_value("https://example.com/typed.png")
    expect(page.get_by_label("Email")).to_have_value("typed@example.com")
    page.get_by_role("button", name="Save changes").click()
    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(page.get_by_label("Username")).to_have_value(f"{name}3")


def test_a_change_follows_in_other_tabs(page: Page, name: str) -> None:
    sign_up(page, name)
    other = page.context.new_page()
    other.goto("/account/profile")
    expect(other.get_by_label("Username")).to_have_value(name)
    page.get_by_label("Username").fill(f"{name}2")
    page.get_by_role("button", name="Save changes").click()

    expect(other.get_by_label("Username")).to_have_value(f"{name}2")
    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(announced(page).first).to_have_text("")


def test_pages_share_one_connection_and_others_have_none(page: Page, name: str) -> None:
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    sign_up(page, name)
    open_page(page, "Sign-in and security")
    page.reload()
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    before = len(opened)
    with page.expect_websocket() as socket:
        open_page(page, "Sessions")
    open_page(page, "Security events")
    open_page(page, "Profile")
    assert not socket.value.is_closed()
    with socket.value.expect_event("close"):
        open_page(page, "Delete account")

    assert len(opened) == before + 1


SHOW = """(state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_is_hidden_for_long_has_no_connection(
    page: Page, server: Server, name: str
) -> None:
    page.clock.install()
    sign_up(page, name)
    with page.expect_websocket() as opened:
        page.reload()
    open_page(page, "Security events")
    expect(rows(page)).to_have_count(1)
    page.evaluate(SHOW, "hidden")
    with opened.value.expect_event("close"):
        page.clock.fast_forward(61_000)
    log_in_elsewhere(server, name)
    with page.expect_websocket():
        page.evaluate(SHOW, "visible")
        page.clock.fast_forward(1_000)

    expect(rows(page)).to_have_count(2)


def test_a_page_without_a_place_for_its_connection_takes_the_next_one(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    others = [page.context.new_page() for _ in range(MAX_CONNECTIONS_PER_SESSION - 1)]
    for other in others:
        received = frames_of(other)
        other.goto("/account/profile")
        wait_for_frame(other, received, '"next"')
    late = page.context.new_page()
    late.clock.install()
    received = frames_of(late)
    late.goto("/account/events")
    wait_for_frame(late, received, "QUOTA_EXCEEDED")
    expect(rows(late)).to_have_count(1)
    others[0].close()
    log_in_elsewhere(server, name)
    late.clock.fast_forward(61_000)

    expect(rows(late)).to_have_count(2)


def test_it_is_announced_in_the_language_of_the_page(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sessions")
    switch_language(page, "Deutsch")
    token = log_in_elsewhere(server, name, FIREFOX, "203.0.113.20")
    expect(announced(page)).to_have_text("Neue Sitzung: Firefox on Linux, 203.0.113.20.")
    post(server, LOGOUT, {}, Authorization=f"Bearer {token}")

    expect(rows(page).nth(1)).to_contain_text("Beendet")
