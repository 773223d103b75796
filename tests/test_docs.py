"""The documents name only what exists, and the reference names all that exists.

`test_readme.py` runs the README's commands, and `make test-clients` compiles the TypeScript of the
pages.
"""

import re
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from unittest.mock import patch
from urllib.parse import unquote

import pytest
from graphql import build_schema, parse, validate

from api.graphql.limited_socket import IDLE_TIMEOUT, SEND_TIMEOUT
from api.graphql.socket_handler import MAX_OPERATIONS, MAX_RUNNING_OPERATIONS
from api.graphql.socket_limits import KIB, NETWORK, SOCKET
from api.graphql.websocket import CONNECTION_INIT_TIMEOUT
from api.middleware.request_limits import MAX_BODY_BYTES
from api.telemetry.metrics import Metrics
from cli.check import CHECKS
from cli.commands import main
from domain.authentication.factors import SecondFactor
from domain.authentication.providers.flow import DECLINED
from domain.authentication.reauthentication import ProofMethod
from domain.errors import ErrorCode
from domain.events import EventType
from domain.hooks.calls import REGISTERED_CLAIMS
from domain.pagination import MAX_PAGE_SIZE
from domain.security_events import EventKind
from domain.sessions import LoginMethod
from domain.subscriptions import (
    MAX_CONNECTIONS_PER_SESSION,
    MAX_FIELDS,
    MAX_FIELDS_PER_USER,
    MAX_PENDING,
    MAX_STREAMS_PER_CONNECTION,
)
from graphql_schema.engine import costs, inputs, limits, validation
from graphql_schema.response_size import MAX_RESPONSE_BYTES
from graphql_schema.schema import MAX_SUBSCRIPTION_VARIABLES
from server.protocol import REQUEST_TIMEOUT
from settings import Settings
from settings.types import holds_secret
from tests.conftest import COLLECTED, settings_for, unprepared_app
from tests.mail_proofs import DATA_KEY

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "deploy/*.md", "benchmarks/*.md", "soak/*.md")
    for page in ROOT.glob(pattern)
)
ALL_PAGES = "\n".join(page.read_text() for page in PAGES)

# Names of others, in the same letters as a setting.
NOT_OURS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "GATEHOUSE_IMAGE",
    "GLIBC_TUNABLES",
    "SCHED_IDLE",
    "SO_REUSEPORT",
}
FOR_TESTS = {"TEST_POSTGRES_URL", "TEST_REDIS_SERVER", "SOAK_PORT"}

# The default of a setting that is empty in .env.example.
NO_DEFAULT = {"empty", "by `ENVIRONMENT", "by `APP_URL"}

# Commands that have commands.
GROUPS = ("keys", "mail", "users", "webhooks")


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)


def in_backticks(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", without_code(text)))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def rows(page: str, heading: str = "") -> list[list[str]]:
    """Return the cells of the tables in a page of the reference, or in one section of it."""
    text = (REFERENCE / page).read_text()
    if heading:
        text = re.split(r"^#", text.split(f"# {heading}\n")[1], flags=re.M)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0].startswith("`") or row[1][:1].isdigit()]


def names(page: str, heading: str = "") -> list[str]:
    """Return what stands in backticks in the first column."""
    return [row[0].strip("`") for row in rows(page, heading)]


def number(text: str) -> int:
    return int(text.replace(",", ""))


@cache
def help_of(*command: str) -> str:
    argv = ["gatehouse", *command, "--help"]
    with redirect_stdout(StringIO()) as printed, suppress(SystemExit), patch("sys.argv", argv):
        main()
    return printed.getvalue()


def commands() -> set[str]:
    """Return the commands of `gatehouse`, such as ``serve`` and ``keys new``."""
    listed = re.compile(r"^ {2,4}([a-z][a-z-]+) {2,}\S", re.M)
    found = set(listed.findall(help_of())) - set(GROUPS)
    return found | {
        f"{group} {name}" for group in GROUPS for name in listed.findall(help_of(group))
    }


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", without_code(page.read_text())):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_picture_is_shown_on_a_page() -> None:
    assert [file.name for file in DOCS.glob("*.png") if f"{file.name})" not in ALL_PAGES] == []


def test_the_index_names_every_page_once() -> None:
    links = re.findall(r"\]\(([^)#]+\.md)\)", (DOCS / "index.md").read_text().split("\n## ", 1)[1])

    assert sorted((DOCS / link).resolve() for link in links) == [
        page for page in PAGES if page != DOCS / "index.md"
    ]


def test_every_path_that_is_named_exists() -> None:
    """Paths that begin with a folder of the repository."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", "dist"}
    paths = {path for path in in_backticks(ALL_PAGES) if re.fullmatch(r"[\w.-]+(/[\w.-]*)+", path)}

    assert [
        path
        for path in sorted(paths)
        if path.split("/")[0] in folders and not (ROOT / path).exists()
    ] == []


def test_every_command_that_is_named_exists() -> None:
    called = re.findall(
        r"(?:^|[`/$]|=\S+ ) *gatehouse ((?:(?:keys|mail|users|webhooks) )?[a-z][a-z-]+)",
        ALL_PAGES,
        re.M,
    )

    assert len(called) > 20
    assert set(called) - set(GROUPS) <= commands()


def test_the_reference_has_every_command_with_its_options() -> None:
    documented = {
        row[0].strip("`").removeprefix("gatehouse "): set(re.findall(r"--[a-z-]+", row[1]))
        for row in rows("commands.md")
        if row[0].startswith("`gatehouse ")
    }

    assert documented == {
        command: set(re.findall(r"--[a-z-]+", help_of(*command.split()))) - {"--help"}
        for command in commands()
    }


def test_the_documents_name_make_targets_that_exist_and_the_reference_all() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    code = re.findall(r"```console\n.*?```|`[^`\n]+`", ALL_PAGES, re.S)
    named = re.findall(r"(?:^|`| )make ([a-z][a-z0-9-]+)", "\n".join(code), re.M)

    assert set(named) <= targets
    assert {name for name in names("commands.md") if name.startswith("make ")} == {
        f"make {target}" for target in targets
    }


def test_the_reference_has_every_setting_with_its_default() -> None:
    example = (ROOT / ".env.example").read_text()
    defaults = dict(re.findall(r"^([A-Z_0-9]+)=(.*)$", example, re.M))
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows("settings.md")}
    # Derived from other settings, or without a value.
    described = {"SECRET_KEY", "HASHING_THREADS", "PUBLIC_URL", "APP_URL"}

    # How-tos have the variables of each provider.
    names = {name.upper() for name in Settings.model_fields} - COLLECTED
    assert sorted(documented) == sorted(names)
    for name, default in defaults.items():
        if name not in described:
            assert documented[name] in ({default} if default else NO_DEFAULT), name


def test_every_name_in_capitals_exists() -> None:
    known = {name.upper() for name in Settings.model_fields} | NOT_OURS | FOR_TESTS
    known |= {
        f"{name.upper()}_FILE"
        for name, field in Settings.model_fields.items()
        if holds_secret(field.annotation)
    }
    known |= {f"GATEHOUSE_{name}" for name in known} | {*ErrorCode, *EventKind, *LoginMethod}
    known |= {*ProofMethod, *SecondFactor, DECLINED}
    named = {
        name
        for text in in_backticks(ALL_PAGES)
        for name in re.findall(r"^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b", text)
        if not name.startswith(("OTEL_", "PROVIDER_"))
    }

    assert named - known - {"POSTGRES_PASSWORD"} == set()


def test_the_reference_has_every_error_code() -> None:
    codes = [name for name in names("error-codes.md") if name.isupper()]

    assert codes == list(ErrorCode)


def test_the_reference_has_every_security_event_and_every_way_to_sign_in() -> None:
    assert names("security-events.md") == list(EventKind)
    assert names("sessions-and-tokens.md", "Sessions") == list(LoginMethod)


async def test_the_reference_has_every_route(tmp_path: Path) -> None:
    google = {"client_id": "an id", "client_secret": "a secret"}
    settings = settings_for(
        f"sqlite:///{tmp_path / 'x.db'}",
        data_key=DATA_KEY,
        providers=("google",),
        provider_settings={"google": google},
    )
    async with unprepared_app(settings) as app:
        described = {
            f"{method.upper()} {path}"
            for path, methods in app.openapi()["paths"].items()
            for method in methods
        }
        others = {
            f"GET {path}"
            for route in app.routes
            if (path := getattr(route, "path", None)) and "assets" not in path
        }

    documented = [name for name in names("rest-routes.md") if re.match("[A-Z]+ /", name)]
    assert sorted(documented) == sorted(described | others | {"POST /graphql"})


def test_the_reference_has_every_check_with_its_settings(tmp_path: Path) -> None:
    documented = {
        row[0].strip("`"): set(re.findall(r"`([^`]+)`", row[1]))
        for row in rows("health-and-check.md", "gatehouse check")
    }
    settings = settings_for(f"sqlite:///{tmp_path / 'gatehouse.db'}", public_url="https://a.test")
    found = {check.__name__: [finding.item for finding in check(settings)] for check in CHECKS}

    assert list(documented) == [check.__name__ for check in CHECKS]
    for check, items in found.items():
        assert set(", ".join(items).split(", ")) - {""} <= documented[check]


def test_the_reference_has_every_metric_with_its_type() -> None:
    served = {}
    for metric in Metrics().registry.collect():
        if metric.name.startswith("gatehouse_"):
            suffix = "_total" if metric.type == "counter" else ""
            served[metric.name + suffix] = metric.type
    documented = {row[0].strip("`"): row[1] for row in rows("metrics.md")}

    assert documented == served


def test_the_reference_has_the_limits_of_a_document() -> None:
    documented = {row[0]: number(row[1]) for row in rows("graphql.md", "Limits")}

    assert documented == {
        "levels of fields": Settings.model_fields["max_query_depth"].default,
        "aliases": Settings.model_fields["max_query_aliases"].default,
        "tokens": Settings.model_fields["max_query_tokens"].default,
        "cost": Settings.model_fields["max_query_cost"].default,
        "fields, with fragments spread": limits.MAX_FIELDS,
        "comparisons of fields of one name": validation.MAX_COMPARISONS,
        "values in variables": inputs.MAX_VALUES,
        "levels of introspection": costs.MAX_INTROSPECTION_DEPTH,
        "characters in a document": validation.MAX_CHARACTERS,
        "lines in a document": validation.MAX_LINES,
        "digits in an integer": validation.MAX_DIGITS,
        "entries in a page": MAX_PAGE_SIZE,
        "representations of entities": MAX_PAGE_SIZE,
        "bytes in a response": MAX_RESPONSE_BYTES,
        "bytes in a request body or WebSocket message": MAX_BODY_BYTES,
        "seconds for a request": Settings.model_fields["request_deadline_seconds"].default,
    }


def test_the_reference_has_the_limits_of_a_websocket() -> None:
    documented = [
        [number(figure) for figure in re.findall(r"\d[\d,]*", row[1])]
        for row in rows("graphql.md", "WebSockets")
    ]

    assert documented == [
        [Settings.model_fields["max_websockets_per_network"].default],
        [Settings.model_fields["max_websockets"].default],
        [CONNECTION_INIT_TIMEOUT.total_seconds()],
        [IDLE_TIMEOUT.total_seconds() / 60],
        [SOCKET.messages, NETWORK.messages, SOCKET.messages_at_once, NETWORK.messages_at_once],
        [
            n // KIB
            for n in (SOCKET.bytes, NETWORK.bytes, SOCKET.bytes_at_once, NETWORK.bytes_at_once)
        ],
        [REQUEST_TIMEOUT.total_seconds()],
        [SEND_TIMEOUT.total_seconds()],
        [MAX_OPERATIONS, MAX_RUNNING_OPERATIONS],
        [MAX_STREAMS_PER_CONNECTION],
        [MAX_CONNECTIONS_PER_SESSION],
        [MAX_FIELDS_PER_USER, MAX_FIELDS],
        [MAX_SUBSCRIPTION_VARIABLES],
        [MAX_PENDING],
    ]


def test_the_reference_has_the_costs_of_fields() -> None:
    assert [number(row[1]) for row in rows("graphql.md", "Cost")] == [
        1,
        costs.LIST_QUERY,
        costs.ROW,
        1,
        costs.LONG_TEXT,
        costs.PASSWORD_HASH,
    ]


def test_the_reference_has_the_rate_limits() -> None:
    limits_in_settings = {name for name in Settings.model_fields if "_limit_per_" in name}

    assert set(names("rate-limits.md")) == {name.upper() for name in limits_in_settings}
    for row in rows("rate-limits.md"):
        setting = Settings.model_fields[row[0].strip("`").lower()]
        assert row[1].strip("`") == setting.default


def test_every_graphql_document_is_valid() -> None:
    schema = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())
    found = re.findall(r"^```graphql\n(.*?)^```", ALL_PAGES, re.M | re.S)

    assert len(found) > 4
    for document in found:
        assert validate(schema, parse(document)) == []


def test_the_how_to_has_every_event_and_every_claim_that_cannot_be_set() -> None:
    webhooks = (DOCS / "how-to" / "webhooks.md").read_text()
    hooks = (DOCS / "how-to" / "hooks.md").read_text()

    assert set(re.findall(r"`((?:user|session|credential)\.[a-z]+)`", webhooks)) == set(EventType)
    assert in_backticks(hooks) >= REGISTERED_CLAIMS
