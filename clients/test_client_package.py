"""The npm package ``@gatehouse/client``: its tests against a live server, its size and contents."""

import gzip
import json
import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from clients.npm import expired_token, run_npm
from clients.openid_provider import callback_of, openid_provider, provider_settings
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.paths import ROOT
from tests.servers import free_port, running_server

PACKAGE = ROOT / "web" / "client"
DIST = PACKAGE / "dist"
MAX_BYTES = 4_000


def test_a_session_in_memory_keeps_its_promises(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    port = free_port()
    with (
        openid_provider(tmp_path, callback_of(port)) as issuer,
        running_server(database, SECRET_KEY, tmp_path, **settings_of(issuer, port)) as server,
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
            SECRET_KEY=SECRET_KEY,
        )


def settings_of(issuer: str, port: int) -> dict[str, str]:
    return {
        "PORT": str(port),
        "DATA_KEY": DATA_KEY,
        # Nothing shows mails, so no email needs to be verified.
        "ENVIRONMENT": "production",
        "REDIRECT_ALLOWLIST": "https://app.example.com/signed-in",
        **provider_settings(issuer),
    }


def modules_of(entry: str) -> set[str]:
    """Return the modules that an entry loads, with the types erased."""
    found = re.findall(r'from "\./(\S+\.js)"', (DIST / entry).read_text())
    return {entry}.union(*(modules_of(name) for name in found))


def size_of(modules: set[str]) -> int:
    """Return the size that a bundle would have, though not minified."""
    return len(gzip.compress(b"".join((DIST / name).read_bytes() for name in sorted(modules))))


def test_the_core_is_smaller_than_4_kb() -> None:
    assert size_of(modules_of("index.js")) <= MAX_BYTES


@pytest.mark.parametrize("entry", ["apollo.js", "relay.js", "urql.js"])
def test_an_adapter_is_small(entry: str) -> None:
    assert size_of({entry}) <= 250


@pytest.mark.parametrize(
    ("entry", "max_bytes"),
    [
        ("second-factor.js", 400),
        ("proof.js", 500),
        ("passkeys.js", 2_200),
        ("providers.js", 2_000),
        ("subscriptions.js", 2_300),
    ],
)
def test_what_few_pages_need_is_an_entry_of_its_own(entry: str, max_bytes: int) -> None:
    core = modules_of("index.js")

    assert entry not in core
    assert size_of(modules_of(entry) - core) <= max_bytes


def test_the_documents_of_the_package_are_valid() -> None:
    schema = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())
    sources = "\n".join(file.read_text() for file in sorted((PACKAGE / "src").glob("*.ts")))
    token = re.search(r'const TOKEN = "(.*)";', sources)
    assert token
    documents = re.findall(r'^const \w+ = [`"](mutation .*?)[`"];$', sources, re.M | re.S)

    assert len(documents) == 11
    filled = [document.replace("${TOKEN}", token[1]) for document in documents]
    for document in filled:
        assert validate(schema, parse(document)) == [], document
    trusted = json.loads((DIST / "trusted-documents.json").read_text())
    assert sorted(trusted.values()) == sorted(filled)


def test_the_package_contains_what_its_entries_need() -> None:
    [packed] = json.loads(run_npm(PACKAGE, "pack", "--dry-run", "--json", "--ignore-scripts"))
    manifest = json.loads((PACKAGE / "package.json").read_text())
    files = {file["path"] for file in packed["files"]}
    exports = manifest["exports"]
    trusted = exports.pop("./trusted-documents.json")[2:]
    entries = {trusted, *(path[2:] for entry in exports.values() for path in entry.values())}

    assert entries <= files
    assert {name for name in files if not name.startswith("dist/")} == {"README.md", "package.json"}
    built = {name for name in files if name.startswith("dist/")} - {trusted}
    assert all(name.endswith((".js", ".d.ts")) for name in built)
    assert "dependencies" not in manifest
