"""GET /.well-known/webauthn: pages of other domains that may use passkeys."""

import httpx
import pytest

from tests.conftest import client_of, settings_for, unprepared_app


async def read(database_url: str, path: str = "", **settings: str) -> httpx.Response:
    async with (
        unprepared_app(settings_for(database_url, **settings)) as app,
        client_of(app) as client,
    ):
        return await client.get(f"{path}/.well-known/webauthn")


@pytest.mark.any_database
async def test_browsers_read_which_origins_may_use_the_passkeys(database_url: str) -> None:
    origins = ["https://app.example.com", "https://example.de"]
    response = await read(
        database_url, passkey_rp_id="example.com", passkey_origins=",".join(origins)
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"origins": origins}


@pytest.mark.any_database
async def test_by_default_they_are_the_account_pages_and_the_applications(
    database_url: str,
) -> None:
    response = await read(
        database_url,
        public_url="https://accounts.example.com",
        cors_origins="https://app.example.com",
    )

    origins = ["https://accounts.example.com", "https://app.example.com"]
    assert response.json() == {"origins": origins}


@pytest.mark.any_database
async def test_a_server_under_a_path_answers_there_and_at_the_root(database_url: str) -> None:
    for path in ("", "/accounts"):
        response = await read(database_url, path, public_url="https://example.com/accounts")
        assert response.json() == {"origins": ["https://example.com"]}


@pytest.mark.any_database
async def test_without_passkeys_there_is_no_list(database_url: str) -> None:
    response = await read(database_url, public_url="https://192.0.2.1")

    assert response.status_code == 404
    assert response.json()["error"] == "invalid_request"
