"""The documentation as a site, by Sphinx: `make docs`.

The source folder is the root of the repository, because the pages link to pages and files outside
of docs/. Sphinx copies linked files that are not pages. A broken link fails the build.
"""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parent.parent

project = "Gatehouse"
version = release = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"]
copyright = "the maintainers of Gatehouse"

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "deploy/*.md", "benchmarks/*.md", "soak/*.md"]
# Folders that Sphinx would otherwise search.
exclude_patterns = ["**/.*", "**/node_modules", "build", "dist"]

# Anchors for headings, with the names that GitHub gives them.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Gatehouse {release}"
html_copy_source = False
# `/` leads to the first page.
html_extra_path = ["site"]


def setup(app: Sphinx) -> None:
    app.connect("source-read", _add_navigation)


def _add_navigation(app: Sphinx, document: str, source: list[str]) -> None:
    """Make the lists of the index the navigation, one group for each heading.

    In Markdown a table of contents would be a block of code to other readers.
    """
    if document == root_doc:
        for section in source[0].split("\n## ")[1:]:
            title, _, text = section.partition("\n")
            links = re.findall(r"\[([^\]]+)\]\(([^)#]+)\.md\)", text)
            contents = "\n".join(f"{name} </{_page(page)}>" for name, page in links)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{contents}\n```\n"


def _page(link: str) -> str:
    return str((_ROOT / "docs" / link).resolve().relative_to(_ROOT))
