"""The mailbox of development, as users of the account pages read it."""

import re

from playwright.sync_api import Page


def mailed(page: Page, email: str, subject: str) -> tuple[str, str]:
    """Return the code of the newest mail with a subject to an address, or "", and its first link,
    read in another tab."""
    tab = page.context.new_page()
    tab.goto("/mailbox")
    item = tab.get_by_role("listitem").filter(has_text=email)
    item.get_by_role("link", name=subject).first.click()
    code = re.search(r"^ +(\d{6})$", tab.locator("pre").first.inner_text(), re.MULTILINE)
    link = tab.locator("pre a").first.get_attribute("href")
    tab.close()
    assert link
    return code[1] if code else "", str(link)
