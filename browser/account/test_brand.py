"""The account pages with a brand of one's own."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from browser.axe import problems
from tests.conftest import SECRET_KEY
from tests.servers import running_server


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["#ffe600", "#000", "#ffffff", "#0a7d4f"])
def test_a_brand_is_shown_and_can_be_read(
    browser: Browser, tmp_path: Path, scheme: Any, color: str
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    )
    url = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    brand = {"BRAND_NAME": "Ada & Söhne <b>", "BRAND_LOGO": str(logo), "BRAND_COLOR": color}
    with running_server(url, SECRET_KEY, tmp_path, **brand) as server:
        context = browser.new_context(base_url=server.url, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        page.goto("/account/login")
        expect(page.get_by_role("link", name="Ada & Söhne <b>")).to_be_visible()
        expect(page).to_have_title("Sign in · Ada & Söhne <b>")
        expect(page.locator(".brand img")).to_have_js_property("complete", True)
        assert page.locator(".brand img").evaluate("image => image.naturalWidth") > 0
        assert problems(page) == []
        context.close()
