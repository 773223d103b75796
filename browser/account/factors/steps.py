"""What users of second factors do on the account pages, and what passes with time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyotp
import sqlalchemy
from playwright.sync_api import Page, expect
from sqlalchemy import make_url, text

from browser.account.steps import log_in, notice, open_page


@dataclass(frozen=True)
class App:
    """The authenticator app of a user, and the recovery codes."""

    secret: str
    recovery_codes: list[str]

    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()

    def wrong_code(self) -> str:
        """Return a code of no time step that is near."""
        totp = pyotp.TOTP(self.secret)
        near = [totp.at(datetime.now(UTC), counter_offset=offset) for offset in range(-3, 4)]
        return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def code_field(page: Page) -> Any:
    return page.get_by_label("Code of the authenticator app")


def secret(page: Page) -> str:
    shown: str = page.locator(".secret").inner_text()
    return shown.replace(" ", "")


def enter_code(page: Page, code: str, button: str = "Sign in") -> None:
    code_field(page).fill(code)
    page.get_by_role("button", name=button, exact=True).click()


def set_up_app(page: Page, database_url: str) -> App:
    """Set up an app. Its code of now works for a sign-in, as it would half a minute later."""
    open_page(page, "Sign-in and security")
    page.get_by_role("link", name="Set up an authenticator app").click()
    shown = secret(page)
    enter_code(page, pyotp.TOTP(shown).now(), "Turn on")
    expect(notice(page)).to_contain_text("The authenticator app is set up.")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    page.get_by_role("button", name="I have saved the codes").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    let_codes_pass(database_url)
    return App(shown, codes)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def begin_sign_in(page: Page, name: str) -> None:
    """Take the first step of a sign-in."""
    log_in(page, name)
    expect(page.get_by_role("heading", name="Second step of the sign-in")).to_be_visible()


def let_codes_pass(database_url: str) -> None:
    """Let the codes of now work again, as if those that were used were of an earlier time."""
    execute(database_url, "UPDATE totp_factors SET last_step = 0")


def let_proofs_pass(database_url: str) -> None:
    """Let the proofs of all sessions be older than they count."""
    execute(database_url, "UPDATE sessions SET proved_at = '2026-01-01 00:00:00.000000'")


def execute(database_url: str, statement: str) -> None:
    """Change rows of the database, as time or the operator does."""
    url = make_url(database_url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
