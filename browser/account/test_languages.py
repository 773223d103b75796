"""The languages of the account pages."""

from playwright.sync_api import Page, expect

from browser.account.steps import password


def test_the_language_is_the_browsers_or_the_chosen_one(page: Page) -> None:
    page.goto("/account/login")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    expect(page).to_have_title("Anmelden · Gatehouse")
    page.reload()

    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_messages_of_the_server_are_translated(page: Page) -> None:
    page.goto("/account/sign-up")
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_label("Benutzername").fill("?")
    page.get_by_label("E-Mail").fill("nirgends")
    password(page, "Passwort").fill("password")
    page.get_by_role("button", name="Konto erstellen").click()

    expect(page.get_by_text("Ein Benutzername muss 3 bis 32 Zeichen haben.")).to_be_visible()
    expect(page.get_by_text("Geben Sie eine gültige E-Mail-Adresse ein.")).to_be_visible()
    expect(page.get_by_text("Dieses Passwort ist zu verbreitet.")).to_be_visible()
