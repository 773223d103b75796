"""The npm package ``@gatehouse/client``: its tests against a live server, its size and contents."""

import gzip
import json
from pathlib import Path

from clients.npm import expired_token, run_npm
from tests.conftest import SECRET_KEY
from tests.servers import running_server

PACKAGE = Path(__file__).parent.parent / "web" / "client"
MAX_BYTES = 4_000


def test_a_session_in_memory_keeps_its_promises(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    with (
        running_server(database, SECRET_KEY, tmp_path) as server,
        running_server(
            database, SECRET_KEY, tmp_path, REFRESH_LIMIT_PER_NETWORK="1/hour"
        ) as limited,
    ):
        run_npm(
            PACKAGE,
            "test",
            GATEHOUSE_URL=f"{server.url}/graphql",
            LIMITED_URL=f"{limited.url}/graphql",
            EXPIRED_TOKEN=expired_token(server),
        )


def test_all_of_it_is_smaller_than_4_kb() -> None:
    modules = [file.read_bytes() for file in sorted((PACKAGE / "dist").glob("*.js"))]

    assert modules
    # As a bundle would hold it, though not minified.
    assert len(gzip.compress(b"".join(modules))) <= MAX_BYTES


def test_the_package_contains_what_its_entries_need() -> None:
    [packed] = json.loads(run_npm(PACKAGE, "pack", "--dry-run", "--json", "--ignore-scripts"))
    manifest = json.loads((PACKAGE / "package.json").read_text())
    files = {file["path"] for file in packed["files"]}
    entries = {path[2:] for entry in manifest["exports"].values() for path in entry.values()}

    assert entries <= files
    assert {name for name in files if not name.startswith("dist/")} == {"README.md", "package.json"}
    assert all(name.endswith((".js", ".d.ts")) for name in files if name.startswith("dist/"))
    assert "dependencies" not in manifest
