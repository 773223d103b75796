"""The structure of the tests themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

FOLDERS = ("tests", "browser", "clients", "soak")


def imported_names(path: Path) -> Iterator[str]:
    """Yield the dotted name of each module, or member of a module, that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def imports_a_test_file(path: Path) -> bool:
    return any(
        part.startswith("test_") for name in imported_names(path) for part in name.split(".")
    )


def test_no_module_imports_a_test_file() -> None:
    """Helpers that test files share belong in modules that are named after them."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).glob("*.py")]

    assert len(files) > 50
    assert [str(file) for file in files if imports_a_test_file(file)] == []


def test_an_import_of_a_test_file_is_found_in_every_form(tmp_path: Path) -> None:
    for statement in (
        "from tests.test_posts import NOTES",
        "from tests import test_posts",
        "from .test_posts import NOTES",
        "import tests.test_posts as posts",
        "def f() -> None:\n    from .. import test_posts",
    ):
        (tmp_path / "module.py").write_text(statement)
        assert imports_a_test_file(tmp_path / "module.py"), statement
