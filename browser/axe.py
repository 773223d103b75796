"""What axe finds wrong on a page for users of assistive technology."""

from playwright.sync_api import Page

from tests.paths import ROOT

AXE = (ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text()


def problems(page: Page) -> list[str]:
    """Return what axe finds: anything, however slight."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{page.url} {violation['id']}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
