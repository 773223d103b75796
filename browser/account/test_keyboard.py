"""The account pages with the keyboard alone and with a password manager."""

from playwright.sync_api import Page, expect

from browser.account.steps import PAGES, notice, open_page
from browser.sign_up import PASSWORD, sign_up


def tab_to(page: Page, label: str) -> None:
    """Press Tab until an element of this name has the focus."""
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()"
            )
        )
        if names[-1] == label:
            return
    raise AssertionError(f"{label} is not reached: {names}")


def test_everything_is_reached_with_the_keyboard_alone(page: Page, name: str) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    tab_to(page, "Create an account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create an account")).to_be_focused()
    for label, text in (("Username", name), ("Email", "nowhere"), ("Password", PASSWORD)):
        tab_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Profile")).to_be_focused()
    for title in PAGES:
        page.reload()
        expect(page.get_by_role("navigation")).to_be_visible()
        tab_to(page, "Skip to content")
        tab_to(page, title)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    tab_to(page, f"Enter {name} to confirm")
    page.keyboard.type(name)
    tab_to(page, "Delete my account")
    page.keyboard.press("Space")

    expect(notice(page)).to_have_text("Your account is deleted.")


def test_every_focus_can_be_seen(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sessions")
    page.reload()
    expect(page.get_by_text("This device")).to_be_visible()
    unseen = []
    for _ in range(10):
        page.keyboard.press("Tab")
        unseen.append(
            page.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle === 'none'"
                " && document.activeElement !== document.body && document.activeElement.outerHTML"
            )
        )

    assert not any(unseen), unseen


def test_password_managers_find_what_to_fill_and_save(page: Page, name: str) -> None:
    def kinds() -> list[str]:
        found: list[str] = page.locator("form input[autocomplete]").evaluate_all(
            "inputs => inputs.map((input) => input.autocomplete)"
        )
        return found

    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    assert kinds() == ["username", "current-password"]
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_label("Email")).to_be_visible()
    assert kinds() == ["username", "email", "new-password"]
    sign_up(page, name)
    assert kinds() == ["username", "email", "photo"]
    page.goto("/account/password")
    expect(page.get_by_label("New password", exact=True)).to_be_visible()
    assert kinds() == ["username", "new-password"]
    hidden = page.locator("form input[autocomplete=username]")
    expect(hidden).to_have_value(name)


def test_every_field_says_what_it_is_for(page: Page, name: str) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    fields = "input:not([type=checkbox], [type=file])"
    counts = [(page.locator(fields).count(), page.locator(f"{fields}[autocomplete]").count())]
    sign_up(page, name)
    for path in (*PAGES.values(), "password"):
        page.goto(f"/account/{path}")
        expect(page.get_by_role("navigation")).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        counts.append(
            (page.locator(fields).count(), page.locator(f"{fields}[autocomplete]").count())
        )

    assert [fields for fields, _ in counts] == [with_purpose for _, with_purpose in counts]
    assert sum(fields for fields, _ in counts) >= 8
