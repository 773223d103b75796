"""GET /.well-known/jwks.json (RFC 7517): the keys by which other services verify access tokens."""

import time
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from api.signing_keys.files import write_key
from domain.access_tokens.keys import Key, KeyRing
from settings import Settings
from tests.conftest import SECRET_KEY, client_of, settings_for, unprepared_app
from tests.users import RegisteredUser

pytestmark = pytest.mark.any_database

JWKS = "/.well-known/jwks.json"
METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture(params=["ES256", "RS256"])
def algorithm(request: pytest.FixtureRequest) -> str:
    algorithm: str = request.param
    return algorithm


@pytest.fixture
def keys(tmp_path: Path, algorithm: str) -> list[Key]:
    """Return a key that has ended, a retired one, one that signs, and one that will sign."""
    now = int(time.time())
    ended, retired, signing = (
        Key.generate(algorithm, made_at=now - age, signs_from=now - age) for age in (90, 60, 30)
    )
    keys = [
        ended.retired(until=now - 1),
        retired.retired(until=now + 600),
        signing,
        KeyRing([signing]).new(algorithm, now=now),
    ]
    for key in keys:
        write_key(tmp_path / "keys", key)
    return keys


@pytest.fixture
def settings(database_url: str, tmp_path: Path, algorithm: str, keys: list[Key]) -> Settings:
    return settings_for(
        database_url,
        algorithm=algorithm,
        signing_keys_dir=tmp_path / "keys",
        public_url="http://gatehouse.test",
    )


async def test_only_the_public_key_of_every_key_that_verifies_is_published(
    client: httpx.AsyncClient, keys: list[Key], algorithm: str
) -> None:
    response = await client.get(JWKS)

    published = response.json()["keys"]
    assert [key["kid"] for key in published] == [key.kid for key in keys[1:]]
    numbers = {"crv", "x", "y"} if algorithm == "ES256" else {"n", "e"}
    for key in published:
        assert set(key) == {"kid", "alg", "use", "kty", *numbers}
        assert (key["alg"], key["use"]) == (algorithm, "sig")


async def test_it_may_be_kept_for_five_minutes_and_read_by_any_page(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get(JWKS, headers={"Origin": "https://shop.example.com"})

    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_clients_find_it_by_the_metadata(client: httpx.AsyncClient) -> None:
    metadata = (await client.get(METADATA)).json()

    assert (await client.get(metadata["jwks_uri"])).status_code == 200


async def test_another_service_verifies_a_token_by_it(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    keys = KeySet.import_key_set((await client.get(JWKS)).json())
    token = jwt.decode(ada.token, keys, algorithms=["ES256", "RS256"])

    assert token.header["typ"] == "at+jwt"
    assert token.claims["sub"] == ada.id
    assert token.claims["iss"] == "http://gatehouse.test"


async def test_a_secret_publishes_nothing(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, signing_keys_dir=tmp_path / "none")
    async with unprepared_app(settings) as app, client_of(app) as client:
        response = await client.get(JWKS)
        metadata = (await client.get(METADATA)).json()

    assert response.json() == {"keys": []}
    assert SECRET_KEY not in response.text
    assert "jwks_uri" not in metadata


async def test_a_key_is_published_before_its_algorithm_is_chosen(
    database_url: str, tmp_path: Path, keys: list[Key]
) -> None:
    settings = settings_for(database_url, signing_keys_dir=tmp_path / "keys")
    async with unprepared_app(settings) as app, client_of(app) as client:
        published = (await client.get(JWKS)).json()["keys"]

    assert keys[2].kid in [key["kid"] for key in published]
