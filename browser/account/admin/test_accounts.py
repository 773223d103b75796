"""Finding accounts, and reading one."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.account.admin.steps import (
    REASON,
    act,
    add_app,
    events,
    found,
    grant,
    open_account,
    register,
    search,
    sign_up_with_role,
)
from browser.account.factors.steps import execute
from browser.sign_up import sign_up
from tests.servers import Server

FORBIDDEN = "Your roles do not permit this."
ADDRESSES = ["admin", "admin-account?id=0199aaaa-0000-7000-8000-000000000000"]


def test_the_navigation_has_the_page_for_those_who_have_a_role(
    page: Page, database_url: str, name: str
) -> None:
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))
    sign_up(page, name)
    link = page.get_by_role("navigation").get_by_role("link", name="Administration")
    with page.expect_response("**/graphql"):
        page.goto("/account/sessions")
    expect(page.get_by_text("This device")).to_be_visible()
    expect(link).to_have_count(0)
    # Nobody else loads its code.
    assert not any("Accounts-" in url for url in scripts)

    grant(database_url, name, "SUPPORT")
    page.reload()
    link.click()

    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    expect(found(page).first).to_be_visible()


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_session_the_pages_lead_to_the_sign_in(page: Page, address: str) -> None:
    page.goto(f"/account/{address}")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_user_without_a_role_is_told_so(page: Page, name: str, address: str) -> None:
    sign_up(page, name)
    page.goto(f"/account/{address}")
    expect(page.get_by_text(FORBIDDEN)).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()

    expect(page.get_by_text("Ihre Rollen erlauben das nicht.")).to_be_visible()


def test_accounts_are_found_by_name_email_and_id(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    users = [register(server, f"{name}-{each}") for each in ("bea", "bob")]
    sign_up_with_role(page, database_url, name, "SUPPORT")
    search(page, f"{name}-b".upper())
    expect(found(page)).to_have_text([f"{name}-bea", f"{name}-bob"])
    expect(page.get_by_text("2 accounts are shown.")).to_be_attached()
    expect(page.get_by_role("button", name="Search")).to_be_focused()
    search(page, f"{name}-bob@exam")
    expect(found(page)).to_have_text([f"{name}-bob"])
    search(page, users[0].id)
    expect(found(page)).to_have_text([f"{name}-bea"])
    search(page, "nobody has this name")
    expect(page.get_by_text("No account was found.")).to_be_visible()
    page.go_back()

    expect(found(page)).to_have_text([f"{name}-bea"])
    expect(page.get_by_label("Username, email or id")).to_have_value(users[0].id)


def test_the_role_and_the_state_narrow_the_list(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    page.get_by_label("Role").select_option("Administrator")
    search(page, name)
    expect(found(page)).to_have_text([name])
    page.get_by_label("Role").select_option("All")
    page.get_by_label("State").select_option("Disabled")
    page.get_by_role("button", name="Search").click()

    expect(page.get_by_text("No account was found.")).to_be_visible()


def test_more_accounts_follow_and_take_the_focus(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    for number in range(21):
        register(server, f"{name}-{number:02}")
    sign_up_with_role(page, database_url, name)
    search(page, f"{name}-")
    expect(found(page)).to_have_count(20)
    page.get_by_role("button", name="Show more").click()

    expect(found(page)).to_have_count(21)
    expect(page.locator("main ol.rows li").nth(20)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_an_account_is_shown_with_what_belongs_to_it(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    add_app(server, database_url, user)
    sign_up_with_role(page, database_url, name, "SUPPORT")
    search(page, user.username)
    found(page).click()

    expect(page).to_have_url(re.compile(f"id={user.id}$"))
    account = page.get_by_role("region", name=user.username)
    expect(account).to_contain_text(f"{user.username}@example.com (verified)")
    expect(account).to_contain_text(user.id)
    factors = page.get_by_role("region", name="Second factors")
    expect(factors).to_contain_text("10 recovery codes are left.")
    expect(page.get_by_role("region", name="Linked accounts")).to_contain_text("None.")
    expect(page.get_by_role("region", name="Sessions")).to_contain_text("Safari on iOS")
    expect(events(page)).to_contain_text("Authenticator app set up")
    page.get_by_role("link", name="Back to the accounts").click()
    expect(page.get_by_label("Username, email or id")).to_be_visible()


def test_an_account_that_is_gone_is_named_so(page: Page, database_url: str, name: str) -> None:
    sign_up_with_role(page, database_url, name)
    page.goto("/account/admin-account?id=0199aaaa-0000-7000-8000-000000000000")

    expect(page.get_by_text("There is no such account.")).to_be_visible()


def test_a_role_that_is_revoked_meanwhile_permits_nothing(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    open_account(page, user)
    execute(database_url, "DELETE FROM user_roles")
    act(page, "End all sessions", reason=REASON)

    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(FORBIDDEN)
