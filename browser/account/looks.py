"""Look at pages and dialogs as assistive technology does, and on a phone."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from browser.account.steps import FIREFOX
from browser.axe import problems

#: The width of a phone, in CSS pixels.
PHONE_WIDTH = 360

#: The options of a page on a phone.
PHONE: dict[str, Any] = {
    "viewport": {"width": PHONE_WIDTH, "height": 740},
    "has_touch": True,
    "user_agent": FIREFOX,
}

# Of the page and of what is in a dialog.
_WIDEST = """Math.max(
    document.documentElement.scrollWidth,
    ...[...document.querySelectorAll("dialog, dialog *")].map((it) => it.getBoundingClientRect().right),
)"""

#: Visits pages, and calls what it is given on each.
Walk = Callable[[Callable[[], None]], None]


def in_scheme(scheme: str) -> dict[str, Any]:
    """Return the options of a page in a colour scheme."""
    # Without transitions, colours are final at once.
    return {"color_scheme": scheme, "reduced_motion": "reduce", "user_agent": FIREFOX}


def problems_of(page: Page, walk: Walk) -> list[str]:
    """Return what axe finds on any page of a walk."""
    found: list[str] = []
    walk(lambda: found.extend(problems(page)))
    return found


def widest_of(page: Page, walk: Walk) -> int:
    """Return the width of the widest page or dialog of a walk, in both languages."""
    widths: list[int] = []

    def look() -> None:
        for language in ("Deutsch", "English"):
            page.locator("footer button", has_text=language).evaluate("it => it.click()")
            expect(page.locator("html")).to_have_attribute("lang", language[:2].lower())
            widths.append(page.evaluate(_WIDEST))

    walk(look)
    return max(widths)


def in_picture(look: str, *, height: int) -> dict[str, Any]:
    """Return the options of a page for a picture: ``light``, ``dark``, or on a ``phone``."""
    width, height = (390, 844) if look == "phone" else (1280, height)
    return {
        "viewport": {"width": width, "height": height},
        "color_scheme": "dark" if look == "dark" else "light",
        "user_agent": FIREFOX,
    }
