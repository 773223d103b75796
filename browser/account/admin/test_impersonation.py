"""Acting in place of a user, in one tab."""

from playwright.sync_api import Browser, Locator, Page, expect

from browser.account.admin.steps import REASON, User, act, open_account, register, sign_up_with_role
from browser.account.factors.steps import sign_out
from browser.account.steps import log_in, notice, open_page
from tests.servers import Server

LABEL = "Act in place of the user"


def begin(page: Page, user: User) -> None:
    open_account(page, user)
    act(page, LABEL, reason=REASON)
    expect(banner(page)).to_contain_text(f"You act as {user.username}.")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def banner(page: Page) -> Locator:
    return page.locator("header .acting")


def test_the_tab_shows_the_pages_of_the_user_until_it_ends(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    begin(page, user)
    expect(page.get_by_label("Username")).to_have_value(user.username)
    expect(page.get_by_role("navigation").get_by_role("link", name="Administration")).to_have_count(
        0
    )
    open_page(page, "Sessions")
    expect(page.get_by_text(f"An administrator acts in your place: {name}")).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    expect(banner(page)).to_contain_text(f"Sie handeln als {user.username}.")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="End", exact=True).click()

    expect(notice(page)).to_have_text("You no longer act in place of another user.")
    expect(banner(page)).to_have_count(0)
    expect(page.get_by_role("heading", name=user.username)).to_be_visible()
    expect(page.locator("header")).to_contain_text(name)
    expect(page.get_by_role("region", name="Sessions", exact=True)).not_to_contain_text(
        "An administrator acts"
    )


def test_it_cannot_change_the_account(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    begin(page, user)
    page.get_by_label("Username").fill(f"{name}-other")
    page.get_by_role("button", name="Save changes").click()

    expect(page.locator("form [role=alert]").first).to_have_text(
        "An impersonated session cannot change the account."
    )


def test_it_shows_no_account_of_others(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    begin(page, user)
    # The page before is that of the account.
    page.go_back()

    expect(page.get_by_text("Your roles do not permit this.")).to_be_visible()
    expect(banner(page)).to_contain_text(f"You act as {user.username}.")


def test_loading_the_page_again_ends_it(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    begin(page, user)
    page.reload()

    expect(page.get_by_label("Username")).to_have_value(name)
    expect(banner(page)).to_have_count(0)


def test_another_tab_stays_that_of_the_administrator(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    other = page.context.new_page()
    other.goto("/account/profile")
    begin(page, user)
    other.reload()
    expect(other.get_by_label("Username")).to_have_value(name)
    sign_out(other)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_user_sees_who_it_was_and_can_end_it(
    page: Page, browser: Browser, server: Server, database_url: str, name: str
) -> None:
    user = register(server, f"{name}-bea")
    sign_up_with_role(page, database_url, name)
    begin(page, user)
    owner = browser.new_context(base_url=server.url, locale="en-GB").new_page()
    owner.goto("/account/login")
    log_in(owner, user.username)
    expect(owner.get_by_role("heading", name="Profile")).to_be_visible()
    open_page(owner, "Security events")
    expect(owner.get_by_text("An administrator signed in in your place")).to_be_visible()
    expect(owner.locator("main")).to_contain_text(f"By an administrator: {name}")
    expect(owner.locator("main")).to_contain_text(f"Detail: {REASON}")
    open_page(owner, "Sessions")
    row = owner.locator("main li").filter(has_text=f"An administrator acts in your place: {name}")
    row.get_by_role("button").click()
    expect(notice(owner)).to_have_text("The session has ended.")
    page.get_by_role("navigation").get_by_role("link", name="Sessions").click()

    expect(notice(page)).to_have_text("You no longer act in place of another user.")
    owner.context.close()
