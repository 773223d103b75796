"""What serves the pages at /account. `browser/account/` tests the pages in a browser."""

import html
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate

from api import account_pages
from api.app import create_app
from domain import email_domains, emails, passwords, usernames
from domain.accounts import (
    invitations,
    password_change,
    password_reset,
    profile,
    provider_sign_in,
)
from domain.admin import role_changes
from domain.admin.changing import IS_STAFF, NOT_PERMITTED
from domain.authentication import reauthentication, second_factor, totp, ways_in
from domain.authentication.passkeys import own, setup
from domain.authentication.providers import flow, identities
from domain.errors import EmailTaken, UsernameTaken
from domain.passwords import policy
from domain.pictures import encoding
from domain.roles import LAST_ADMINISTRATOR, Permission
from domain.security_events import EventKind
from settings import Settings
from tests.conftest import SECRET_KEY, client_of, settings_for, unprepared_app
from tests.paths import ROOT

pytestmark = pytest.mark.any_database

SOURCE = ROOT / "web" / "account" / "src"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder like the one that `make account` builds."""
    folder = tmp_path / "account"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<title>{{name}}</title><meta name="account-pages" content="{{settings}}" />'
    )
    (folder / "assets" / "index-abc.js").write_text("start()")
    monkeypatch.setattr(account_pages, "BUILT", folder)
    return folder


async def get(settings: Settings, path: str, method: str = "GET") -> httpx.Response:
    async with unprepared_app(settings) as app, client_of(app) as client:
        return await client.request(method, path)


def filled_in(response: httpx.Response) -> dict[str, Any]:
    found = re.search(r'content="([^"]*)"', response.text)
    assert found
    settings: dict[str, Any] = json.loads(html.unescape(found[1]))
    return settings


@pytest.mark.parametrize("page", sorted(account_pages.PAGES))
async def test_every_page_is_the_same_document(settings: Settings, page: str) -> None:
    response = await get(settings, f"/account/{page}")

    assert response.status_code == 200
    assert "<title>Gatehouse</title>" in response.text


def test_the_server_knows_the_pages_that_the_scripts_know() -> None:
    names = re.search(r"PAGES = \[(.*?)\]", (SOURCE / "router.ts").read_text(), re.S)

    assert names
    assert set(re.findall(r'"([\w-]+)"', names[1])) == account_pages.PAGES


async def test_the_first_page_is_the_profile(settings: Settings) -> None:
    response = await get(settings, "/account")
    with_query = await get(settings, "/account?return_to=https%3A%2F%2Fapp.example")

    # Relative: behind a proxy with a path it leads to the right place too.
    assert (response.status_code, response.headers["Location"]) == (307, "account/profile")
    assert with_query.headers["Location"] == "account/profile?return_to=https%3A%2F%2Fapp.example"


@pytest.mark.parametrize("page", ["nowhere", "Login", "login.html", "index.html"])
async def test_an_unknown_page_is_the_document_with_status_404(
    settings: Settings, page: str
) -> None:
    response = await get(settings, f"/account/{page}")

    assert response.status_code == 404
    assert "<title>Gatehouse</title>" in response.text


@pytest.mark.parametrize("path", ["/account/", "/account/login/", "/account/a/b"])
async def test_other_addresses_lead_nowhere(settings: Settings, path: str) -> None:
    response = await get(settings, path)

    assert response.status_code == 404
    assert "<title>" not in response.text


@pytest.mark.parametrize("path", ["/account/login", "/account/nowhere"])
async def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(
    settings: Settings, path: str
) -> None:
    policy = (await get(settings, path)).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy.replace("img-src 'self' data: http://127.0.0.1:8000;", "")


async def test_what_the_pages_load_is_kept_by_browsers_and_the_document_is_not(
    settings: Settings,
) -> None:
    asset = await get(settings, "/account/assets/index-abc.js")
    document = await get(settings, "/account/login")

    assert "immutable" in asset.headers["Cache-Control"]
    assert document.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/account/login", "/account/assets/index-abc.js"])
async def test_head_has_the_headers_of_get(settings: Settings, path: str) -> None:
    got, headed = await get(settings, path), await get(settings, path, "HEAD")

    assert headed.status_code == 200
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]


async def test_a_form_that_is_sent_without_its_script_is_refused(settings: Settings) -> None:
    response = await get(settings, "/account/login", "POST")

    assert response.status_code == 405


async def test_production_has_them_too(database_url: str) -> None:
    response = await get(settings_for(database_url, environment="production"), "/account/login")

    assert response.status_code == 200


async def test_they_can_be_turned_off(database_url: str) -> None:
    settings = settings_for(database_url, account_pages="false")

    for path in ("/account", "/account/login", "/account/assets/index-abc.js"):
        assert (await get(settings, path)).status_code == 404


async def test_not_built_they_are_missing_and_the_log_says_so(
    settings: Settings,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(account_pages, "BUILT", built / "nothing")
    response = await get(settings, "/account/login")

    assert response.status_code == 404
    assert "The account pages are not built" in caplog.text


@pytest.mark.parametrize("prefix", ["", "/accounts"], ids=["stripped", "passed on"])
async def test_behind_a_path_they_are_under_it(database_url: str, prefix: str) -> None:
    settings = settings_for(database_url, public_url="https://example.com/accounts")
    async with client_of(create_app(settings)) as client:
        first = await client.get(f"{prefix}/account")
        page = await client.get(f"{prefix}/account/sessions")
        asset = await client.get(f"{prefix}/account/assets/index-abc.js")

    assert first.headers["Location"] == "account/profile"
    assert page.status_code == asset.status_code == 200


# ---- The brand and the return addresses ----


async def test_without_a_brand_it_is_gatehouses(settings: Settings) -> None:
    assert filled_in(await get(settings, "/account/login")) == {
        "name": "Gatehouse",
        "color": "#6a3de8",
        "logo": None,
        "returnOrigins": [],
        "sendsMail": False,
        "requiresVerifiedEmail": False,
        "registration": "open",
        "authenticatorApps": False,
        "requiresSecondFactor": False,
        "passkeys": "localhost",
        "providers": [],
        "pictures": "http://127.0.0.1:8000",
        "imageUrls": True,
    }
    assert (await get(settings, "/account/logo")).status_code == 404


async def test_a_name_is_text_whatever_it_contains(database_url: str) -> None:
    name = """</title><b>"'&{{name}}"""
    response = await get(settings_for(database_url, brand_name=name), "/account/login")

    assert filled_in(response)["name"] == name
    assert "<b>" not in response.text


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("logo.svg", "image/svg+xml"), ("LOGO.PNG", "image/png"), ("a.webp", "image/webp")],
)
async def test_a_logo_is_served_and_cannot_run_anything(
    database_url: str, tmp_path: Path, name: str, media_type: str
) -> None:
    (tmp_path / name).write_bytes(SVG)
    settings = settings_for(database_url, brand_logo=str(tmp_path / name))
    address = filled_in(await get(settings, "/account/login"))["logo"]
    response = await get(settings, f"/account/{address}")

    assert response.content == SVG
    assert response.headers["Content-Type"] == media_type
    assert "immutable" in response.headers["Cache-Control"]
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert policy.endswith("sandbox")


async def test_another_logo_has_another_address(database_url: str, tmp_path: Path) -> None:
    addresses = []
    for content in (b"one", b"two"):
        (tmp_path / "logo.png").write_bytes(content)
        settings = settings_for(database_url, brand_logo=str(tmp_path / "logo.png"))
        addresses.append(filled_in(await get(settings, "/account/login"))["logo"])

    assert addresses[0] != addresses[1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("logo.gif", b"GIF", "BRAND_LOGO must be a file that ends with .svg, .png, .webp"),
        ("logo", b"", "BRAND_LOGO must be a file that ends with .svg, .png, .webp"),
        ("logo.svg", None, "BRAND_LOGO cannot be read: No such file or directory"),
        ("logo.png", b"x" * (256 * 1024 + 1), "BRAND_LOGO must have at most 256 KiB"),
    ],
)
def test_a_logo_that_cannot_be_used_stops_the_start(
    database_url: str, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(SystemExit, match=re.escape(message)):
        create_app(settings_for(database_url, brand_logo=str(tmp_path / name)))


def test_a_logo_that_is_a_pipe_stops_the_start(database_url: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "logo.png")

    with pytest.raises(SystemExit, match="BRAND_LOGO cannot be read: Not a regular file"):
        create_app(settings_for(database_url, brand_logo=str(tmp_path / "logo.png")))


async def test_only_listed_origins_may_be_returned_to(database_url: str) -> None:
    settings = settings_for(database_url, cors_origins="https://app.example.com,*")
    response = await get(settings, "/account/login")

    assert filled_in(response)["returnOrigins"] == ["https://app.example.com"]


@pytest.mark.parametrize(
    ("mail", "sends_mail"),
    [
        ({"data_key": SECRET_KEY}, False),
        (
            {
                "data_key": SECRET_KEY,
                "mail_url": "smtp://127.0.0.1:1",
                "mail_from": "accounts@example.com",
            },
            True,
        ),
    ],
)
async def test_the_pages_know_whether_the_server_sends_mail(
    database_url: str, mail: dict[str, str], sends_mail: bool
) -> None:
    # Prepared, so that what sends mail ends before its database is closed.
    app = create_app(settings_for(database_url, environment="production", **mail))
    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.get("/account/login")

    assert filled_in(response)["sendsMail"] is sends_mail


async def test_the_pages_know_what_protects_an_account(database_url: str) -> None:
    settings = settings_for(
        database_url,
        environment="production",
        public_url="https://accounts.example.com",
        data_key=SECRET_KEY,
        require_second_factor="all",
        passkey_rp_id="example.com",
    )
    found = filled_in(await get(settings, "/account/login"))

    assert found["authenticatorApps"] is found["requiresSecondFactor"] is True
    assert found["passkeys"] == "example.com"


async def test_the_pages_know_the_providers_in_their_order(database_url: str) -> None:
    client = {"client_id": "gatehouse", "client_secret": "secret"}
    settings = settings_for(
        database_url,
        data_key=SECRET_KEY,
        providers=("google", "github"),
        provider_settings={"google": client, "github": client},
    )

    assert filled_in(await get(settings, "/account/login"))["providers"] == [
        {"name": "google", "label": "Google"},
        {"name": "github", "label": "GitHub"},
    ]


@pytest.mark.parametrize(
    ("changed", "origin"),
    [
        ({"public_url": "https://example.com/accounts"}, "https://example.com"),
        ({"pictures_public_url": "https://cdn.example.net/a/b"}, "https://cdn.example.net"),
    ],
)
async def test_the_pages_may_show_uploaded_pictures_and_no_others(
    database_url: str, changed: dict[str, str], origin: str
) -> None:
    response = await get(settings_for(database_url, **changed), "/account/profile")

    assert filled_in(response)["pictures"] == origin
    assert f"; img-src 'self' data: {origin};" in response.headers["Content-Security-Policy"]


async def test_the_policy_names_no_ipv6_address(database_url: str) -> None:
    response = await get(settings_for(database_url, host="::1"), "/account/profile")

    assert filled_in(response)["pictures"] == "http://[::1]:8000"
    assert "; img-src 'self' data:;" in response.headers["Content-Security-Policy"]


async def test_the_pages_know_that_there_are_no_pictures(database_url: str) -> None:
    settings = settings_for(database_url, pictures="off", image_urls="false")
    response = await get(settings, "/account/profile")

    assert filled_in(response)["pictures"] is None
    assert filled_in(response)["imageUrls"] is False
    assert "; img-src 'self' data:;" in response.headers["Content-Security-Policy"]


async def test_pages_of_an_address_without_a_name_have_no_passkeys(database_url: str) -> None:
    settings = settings_for(database_url, public_url="http://192.0.2.7:8000")

    assert filled_in(await get(settings, "/account/login"))["passkeys"] is None


# ---- What the scripts take from the server ----


def documents() -> Mapping[str, str]:
    """Return the documents of both operations.ts, with their constants filled in."""
    files = (SOURCE / "operations.ts", SOURCE / "admin" / "operations.ts")
    return {name: document for file in files for name, document in _documents(file.read_text())}


def _documents(text: str) -> Iterable[tuple[str, str]]:
    constants = dict(re.findall(r'^const (\w+) = "(.*)";$', text, re.M))
    found = dict(re.findall(r"^export const (\w+) = `(.*?)`;$", text, re.M | re.S))
    for name, value in constants.items():
        found = {key: each.replace(f"${{{name}}}", value) for key, each in found.items()}
    return found.items()


def test_the_documents_of_the_pages_are_valid() -> None:
    schema = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())

    assert len(documents()) == 52
    for name, document in documents().items():
        assert validate(schema, parse(document)) == [], name


def test_the_pages_of_administrators_use_permissions_that_exist() -> None:
    used = re.findall(r'permission: "(\w+)"', (SOURCE / "admin" / "acts.ts").read_text())

    assert set(used) < {permission.value for permission in Permission}


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_kind_of_event_has_a_text(language: str) -> None:
    kinds = re.search(r"kinds: \{(.*?)\}", (SOURCE / "texts" / f"{language}.ts").read_text(), re.S)

    assert kinds
    assert re.findall(r"^ +(\w+):", kinds[1], re.M) == [kind.value for kind in EventKind]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_error_of_a_sign_in_with_a_provider_has_a_text(language: str) -> None:
    page = (ROOT / "docs" / "how-to" / "providers.md").read_text()
    _, _, table = page.partition("| `error` | Meaning |")
    named = set(re.findall(r"`([a-z_]+)`", table.partition("\n## ")[0]))
    texts = (SOURCE / "texts" / f"{language}.ts").read_text()
    failures = re.search(r"failures: \{(.*?)\n    \}", texts, re.S)

    assert failures
    assert set(re.findall(r"^ {6}(\w+):", failures[1], re.M)) == named
    assert set(flow._ERRORS.values()) < named


def test_every_message_about_a_field_is_translated() -> None:
    translated = (SOURCE / "texts" / "de.ts").read_text()
    messages = [
        *usernames.problems(""),
        *usernames.problems("a b c"),
        UsernameTaken.message,
        emails.INVALID_EMAIL,
        email_domains.NOT_ACCEPTED,
        invitations.FOR_ANOTHER,
        policy.BREACHED,
        EmailTaken.message,
        *passwords.problems("short"),
        *passwords.problems("with a \0 in it"),
        *passwords.problems("password"),
        *passwords.problems("analytical engine", username="analytical engine"),
        reauthentication.wrong_password("password").message,
        reauthentication.NO_PASSWORD,
        second_factor.WRONG_CODE,
        totp.WRONG_CODE,
        password_change.HAS_PASSWORD,
        ways_in.LAST_WAY_IN,
        *own.name_problems(""),
        setup.TOO_MANY,
        identities.TOO_MANY,
        identities.LINKED_TO_ANOTHER,
        provider_sign_in.NO_EMAIL,
        password_reset.SAME_PASSWORD,
        role_changes.EMAIL_NOT_VERIFIED,
        *profile.image_file_problems("javascript:"),
        encoding._UNREADABLE,
        "The request took too long to send.",
        NOT_PERMITTED,
        IS_STAFF,
        LAST_ADMINISTRATOR,
    ]

    for message in messages:
        assert f'"{message}":' in translated, message
