"""The mailbox of development, as users of the account pages read it."""

import re
from typing import Any

from playwright.sync_api import Page


def mailed(page: Page, email: str, subject: str) -> tuple[str, str]:
    """Return the code of the newest mail with a subject to an address, or "", and its first link.
    The page shows the mail then."""
    page.goto("/mailbox")
    item = page.get_by_role("listitem").filter(has_text=email)
    item.get_by_role("link", name=subject).first.click()
    code = re.search(r"^ +(\d{6})$", page.locator("pre").first.inner_text(), re.MULTILINE)
    link = page.locator("pre a").first.get_attribute("href")
    assert link
    return code[1] if code else "", str(link)


def notice(page: Page) -> Any:
    return page.locator("main > [role=status]")
