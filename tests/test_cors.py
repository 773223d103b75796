import httpx
import pytest

from settings import Settings
from tests.conftest import settings_for


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, cors_origins="https://app.example.com")


@pytest.mark.parametrize("path", ["/graphql", "/token", "/userinfo"])
async def test_a_chosen_origin_may_read_answers_and_errors(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path, headers={"Origin": "https://app.example.com"})

    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_chosen_origin_may_send_json_and_a_token(client: httpx.AsyncClient) -> None:
    response = await client.options(
        "/graphql",
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )

    assert response.status_code == 200


async def test_no_other_origin_may(client: httpx.AsyncClient) -> None:
    response = await client.get("/userinfo", headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in response.headers
