"""The import contracts of pyproject.toml: each fails on a planted violation."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMPORTLINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

# The violation of each contract: a file, and the import that is appended to it.
VIOLATIONS = {
    "Imports run strictly down": ("domain/ids.py", "import graphql_schema.ids"),
    "Only the edges read the environment": ("domain/text.py", "import os"),
    "The domain and the database know no web": ("db/sqlite.py", "import starlette.requests"),
    "The engine knows little of the domain, and nothing else": (
        "graphql_schema/engine/costs.py",
        "import domain.posts",
    ),
    "Layers of the graph": ("graphql_schema/ids.py", "import graphql_schema.types.token"),
    "Layers of the domain": ("domain/sessions/start.py", "import domain.accounts.users"),
    "One file sends requests, verifies tokens, reads or stores pictures": (
        "domain/qr_codes.py",
        "import joserfc",
    ),
    "Layers of the web": ("api/signing_keys/files.py", "import api.telemetry.logs"),
    "No circular imports": ("domain/sessions/active.py", "import domain.sessions.end"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what import-linter reports for a copy of the code with all violations in it."""
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in IMPORTLINTER["root_packages"]:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("static", "__pycache__")
        )
    for file, violation in VIOLATIONS.values():
        with (folder / file).open("a") as code:
            code.write(f"\n{violation}\n")
    command = str(Path(sys.executable).with_name("lint-imports"))
    found = subprocess.run(
        [command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1, found.stderr
    return found.stdout


def test_every_contract_has_a_violation() -> None:
    names = [contract["name"] for contract in IMPORTLINTER["contracts"]]

    assert names == list(VIOLATIONS)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_violation_breaks_its_contract(report: str, contract: str) -> None:
    assert f"{contract} BROKEN" in report


def test_only_the_domain_opens_a_transaction() -> None:
    edges = (
        path
        for folder in ("cli", "server", "api", "graphql_schema")
        for path in (ROOT / folder).rglob("*.py")
    )
    found = [str(path.relative_to(ROOT)) for path in edges if ".writing(" in path.read_text()]

    assert found == []
