"""Our client of OpenID providers with a certified provider, on real sockets."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.openid_provider import CLIENT_ID, CLIENT_SECRET, log_in, openid_provider
from domain.providers import (
    Profile,
    Provider,
    ProviderConfig,
    ProviderError,
    build_provider,
)
from domain.providers.pkce import challenge_of, new_verifier
from tests.clocks import stopped_caches
from tests.identity_provider import provider_with
from tests.servers import free_port

REDIRECT_URI = "http://127.0.0.1:1/callback"

ADA = {"login": "ada", "email": "ada@example.com", "verified": "on"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with openid_provider(tmp_path_factory.mktemp("provider"), REDIRECT_URI) as issuer:
        yield issuer


def ada_of(issuer: str) -> Profile:
    return Profile(
        issuer=issuer,
        subject="ada",
        email="ada@example.com",
        email_verified=True,
        name_hint="ada",
    )


def config(issuer: str, **others: Any) -> ProviderConfig:
    values = {
        "name": "work",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    return ProviderConfig(**values | others)


async def begun(provider: Provider, **entered: str) -> dict[str, Any]:
    """Log in at the provider, and return the arguments of `profile`."""
    verifier, nonce, state = new_verifier(), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    url = await provider.authorization_url(
        redirect_uri=REDIRECT_URI, state=state, nonce=nonce, code_challenge=challenge_of(verifier)
    )
    callback = await log_in(url, **entered)
    assert callback["state"] == state
    return {
        "code": callback.get("code"),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
        "nonce": nonce,
        "issuer": callback.get("iss"),
    }


async def sign_in(provider: Provider, **entered: str) -> Profile:
    try:
        return await provider.profile(**await begun(provider, **entered or ADA))
    finally:
        await provider.close()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_a_user_signs_in(issuer: str, algorithm: str) -> None:
    provider = build_provider(config(issuer, client_id=f"gatehouse-{algorithm}"))

    assert await sign_in(provider) == ada_of(issuer)


async def test_a_user_signs_in_without_userinfo(tmp_path: Path) -> None:
    with openid_provider(tmp_path, REDIRECT_URI, claims_in_token=True) as issuer:
        assert await sign_in(build_provider(config(issuer))) == ada_of(issuer)


async def test_an_email_that_is_not_verified_is_not(issuer: str) -> None:
    profile = await sign_in(build_provider(config(issuer)), login="eve", email="ada@example.com")

    assert profile.subject == "eve"
    assert (profile.email, profile.email_verified) == ("ada@example.com", False)


async def test_the_answer_is_posted_where_that_is_asked_for(issuer: str) -> None:
    assert await sign_in(provider_with(config(issuer), form_post=True)) == ada_of(issuer)


@pytest.mark.parametrize("authentication", ["client_secret_basic", "client_secret_post"])
async def test_the_secret_arrives(issuer: str, authentication: str) -> None:
    right = build_provider(config(issuer, authentication=authentication))
    wrong = build_provider(
        config(issuer, authentication=authentication, client_secret="an old one")
    )

    assert await sign_in(right) == ada_of(issuer)
    with pytest.raises(ProviderError, match="REFUSED: token endpoint: invalid_client"):
        await sign_in(wrong)


async def test_a_user_who_cancels_brings_no_code(issuer: str) -> None:
    provider = build_provider(config(issuer))
    arguments = await begun(provider, cancel="yes")
    await provider.close()

    assert arguments["code"] is None
    assert arguments["issuer"] == issuer


async def test_the_provider_binds_the_code(issuer: str) -> None:
    provider = build_provider(config(issuer))
    used = await begun(provider, **ADA)
    await provider.profile(**used)

    with pytest.raises(ProviderError, match="REFUSED: token endpoint: invalid_grant"):
        await provider.profile(**used)
    with pytest.raises(ProviderError, match="REFUSED: token endpoint: invalid_grant"):
        await provider.profile(**await begun(provider, **ADA) | {"code_verifier": new_verifier()})
    # It promises `iss`, so a callback without it is not its own.
    with pytest.raises(ProviderError, match="INVALID: callback: `iss` is missing"):
        await provider.profile(**await begun(provider, **ADA) | {"issuer": None})
    with pytest.raises(ProviderError, match="INVALID: ID token: `nonce` is of another request"):
        await provider.profile(**await begun(provider, **ADA) | {"nonce": "another"})
    await provider.close()


async def test_a_provider_with_new_keys_is_followed(tmp_path: Path) -> None:
    port = free_port()
    with stopped_caches() as clock:
        with openid_provider(tmp_path, REDIRECT_URI, port=port) as issuer:
            provider = build_provider(config(issuer))
            before = await provider.profile(**await begun(provider, **ADA))
        clock.move(60)
        with openid_provider(tmp_path, REDIRECT_URI, port=port):
            after = await provider.profile(**await begun(provider, **ADA))
        await provider.close()

    assert (before.subject, after.subject) == ("ada", "ada")
