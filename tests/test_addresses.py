"""The addresses in responses: none comes from what a client sends, and all work under a path."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from api import account_pages, pages
from api.app import create_app
from settings import Settings
from tests.conftest import client_of, settings_for
from tests.databases import copy_of
from tests.operations import REGISTER
from tests.servers import Server
from tests.sub_path import NGINX, server_under_a_path
from tests.websockets import execute, initialize, open_socket

pytestmark = pytest.mark.any_database

METADATA = "/.well-known/oauth-authorization-server"
BROWSER = {"Accept": "text/html"}
HOSTILE = {
    "Host": "evil.example",
    "Forwarded": "host=evil.example;proto=https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "//evil.example",
    "X-Forwarded-Proto": "https",
    "X-Original-URL": "//evil.example/token",
}
OTHERS = ["/graphql", "/docs", "/docs/assets", "/openapi.json"]


def paths_of(app: FastAPI) -> list[str]:
    return [*app.openapi()["paths"], *OTHERS]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_slash_too_many_or_too_few_leads_nowhere(
    app: FastAPI, client: httpx.AsyncClient, method: str
) -> None:
    """A client would send the password again, to where the redirect leads."""
    for path in (*(f"{path}/" for path in paths_of(app)), "/docs/assets", "/token//"):
        response = await client.request(method, path, headers=HOSTILE)

        assert response.status_code in (404, 405)
        assert "Location" not in response.headers
        assert "evil" not in response.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_response_repeats_a_host(
    app: FastAPI, client: httpx.AsyncClient, method: str
) -> None:
    for path in (*paths_of(app), "/", "/nowhere"):
        response = await client.request(method, path, headers={**HOSTILE, **BROWSER})

        assert "evil" not in response.text + str(response.headers)


async def test_behind_a_trusted_proxy_it_does_not_either(database_url: str) -> None:
    settings = settings_for(database_url, trusted_proxies="127.0.0.1")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        for path in ("/", "/token/", "/docs", "/openapi.json", METADATA):
            response = await client.get(path, headers={**HOSTILE, **BROWSER})

            assert "evil" not in response.text + str(response.headers)


@pytest.mark.parametrize("path", ["/docs", "/graphql", "/account/login"])
async def test_a_page_loads_by_relative_addresses_alone(
    client: httpx.AsyncClient, path: str
) -> None:
    page = (await client.get(path, headers=BROWSER)).text
    if path == "/graphql" and not pages.EXPLORER.exists():
        pytest.skip("needs the explorer: make explorer")
    if path == "/account/login" and not account_pages.BUILT.exists():
        pytest.skip("needs the account pages: make account")

    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        assert re.match(r"(\./)?[a-z]+[/.]", address), address
        assert (await client.get(urljoin(path, address))).status_code == 200


@pytest.fixture(params=["a proxy that strips the path", "a proxy that passes it on"])
def prefix(request: pytest.FixtureRequest) -> str:
    return "" if "strips" in request.param else "/accounts"


@pytest.fixture
async def under_a_path(database_url: str, prefix: str) -> httpx.AsyncClient:
    settings = settings_for(database_url, public_url="https://example.com/accounts")
    client = client_of(create_app(settings))
    client.base_url = client.base_url.join(prefix)
    return client


async def test_the_endpoints_are_under_the_path(under_a_path: httpx.AsyncClient) -> None:
    metadata = (await under_a_path.get(METADATA)).json()

    assert metadata["issuer"] == "https://example.com/accounts"
    assert metadata["token_endpoint"] == "https://example.com/accounts/token"
    openapi = (await under_a_path.get("/openapi.json")).json()
    assert openapi["servers"] == [{"url": "/accounts"}]


async def test_the_metadata_is_where_rfc_8414_has_it(settings: Settings, database_url: str) -> None:
    settings = settings_for(database_url, public_url="https://example.com/accounts")
    async with client_of(create_app(settings)) as client:
        before = await client.get(f"{METADATA}/accounts")
        after = await client.get(f"/accounts{METADATA}")
        other = await client.get(f"{METADATA}/others")

    assert before.json() == after.json()
    assert before.json()["issuer"] == "https://example.com/accounts"
    assert other.status_code == 404


async def test_what_only_begins_like_the_path_is_not_under_it(database_url: str) -> None:
    settings = settings_for(database_url, public_url="https://example.com/accounts")
    async with client_of(create_app(settings)) as client:
        found = [
            await client.get(f"{path}/health/live")
            for path in ("/accounts", "/accountsx", "/accounts/accounts", "/x/accounts")
        ]

    assert [response.status_code for response in found] == [200, 404, 404, 404]


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "passed on"])
def proxied(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    if not NGINX:
        pytest.skip("needs nginx")
    folder = tmp_path_factory.mktemp("proxied")
    url = copy_of(migrated_sqlite, folder)
    with server_under_a_path(url, folder, strips=request.param) as server:
        yield server


def test_all_of_it_works_behind_nginx(proxied: Server) -> None:
    ada = {"username": "ada", "email": "ada@example.com", "password": "analytical engine"}
    graph = httpx.post(f"{proxied.url}/graphql", json={"query": REGISTER, "variables": ada})
    issuer = httpx.URL(proxied.url)
    metadata = httpx.get(issuer.join(f"{METADATA}{issuer.path}")).json()
    form = {"grant_type": "password", "username": "ada", "password": "analytical engine"}
    token = httpx.post(metadata["token_endpoint"], data=form).json()
    user = httpx.get(
        metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {token['access_token']}"}
    )
    root = httpx.get(f"{proxied.url}/", follow_redirects=True, headers=BROWSER)
    with open_socket(proxied) as socket:
        initialize(socket)
        answer = execute(socket, "{ __typename }")

    assert metadata["issuer"] == proxied.url
    assert user.json()["sub"] == graph.json()["data"]["register"]["user"]["id"]
    assert str(root.url) == f"{proxied.url}/graphql"
    assert answer == {"data": {"__typename": "Query"}}
