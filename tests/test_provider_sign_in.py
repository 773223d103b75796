"""Signing in with an OpenID provider: the requests that are sent, and what is learned."""

import asyncio
import json
import logging
import subprocess
import sys
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.providers import Profile, Provider, ProviderError, ProviderFailure, build_provider
from domain.providers.answer import Answer
from domain.providers.pkce import challenge_of, new_verifier
from domain.providers.presets import client_of
from domain.providers.token_endpoint import Credentials
from tests.fault_server import Request, Response, json_response, serving_in_thread
from tests.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEYS,
    METADATA,
    REDIRECT_URI,
    TOKEN,
    USERINFO,
    IdentityProvider,
    provider_with,
    sign_in,
)
from tests.jwts import key, signed


async def address(provider: Provider) -> str:
    return await provider.authorization_url(
        redirect_uri=REDIRECT_URI, state="a state", nonce="a nonce", code_challenge="a challenge"
    )


async def test_a_provider_says_who_the_user_is(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    assert await sign_in(provider) == Profile(
        issuer=identity_provider.issuer,
        subject="248289761001",
        email="ada@example.com",
        email_verified=True,
        name_hint="ada",
    )


async def test_the_browser_is_sent_to_the_provider_with_all_that_binds_the_answer(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    parts = urlsplit(await address(provider))

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{identity_provider.url}/authorize"
    assert parse_qs(parts.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["openid email profile"],
        "state": ["a state"],
        "nonce": ["a nonce"],
        "code_challenge": ["a challenge"],
        "code_challenge_method": ["S256"],
    }


async def test_an_authorization_endpoint_keeps_its_own_parameters(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    endpoint = f"{identity_provider.url}/authorize?tenant=a%20b"
    identity_provider.metadata = {"authorization_endpoint": endpoint}

    assert (await address(provider)).startswith(f"{endpoint}&response_type=code&")


def test_a_challenge_is_that_of_rfc_7636() -> None:
    # Appendix B.
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    assert new_verifier() != new_verifier()
    assert 43 <= len(new_verifier()) <= 128


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (None, "header"),
        (["client_secret_basic", "client_secret_post"], "header"),
        (["private_key_jwt", "client_secret_post"], "form"),
        (["private_key_jwt"], "header"),
    ],
)
async def test_the_secret_is_sent_as_the_metadata_say(
    provider: Provider,
    identity_provider: IdentityProvider,
    methods: list[str] | None,
    expected: str,
) -> None:
    identity_provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    await sign_in(provider)

    [request] = identity_provider.requests_to(TOKEN)
    assert ("authorization" in request.headers) == (expected == "header")
    assert (request.form.get("client_secret") == CLIENT_SECRET) == (expected == "form")


async def test_the_configuration_overrides_how_the_secret_is_sent(
    identity_provider: IdentityProvider,
) -> None:
    provider = build_provider(identity_provider.config(authentication="client_secret_post"))
    await sign_in(provider)
    await provider.close()

    [request] = identity_provider.requests_to(TOKEN)
    assert request.form["client_secret"] == CLIENT_SECRET
    assert "authorization" not in request.headers


async def test_a_public_client_sends_no_secret(identity_provider: IdentityProvider) -> None:
    identity_provider.client_secret = None
    provider = build_provider(identity_provider.config())
    await sign_in(provider)
    await provider.close()

    [request] = identity_provider.requests_to(TOKEN)
    assert request.form["client_id"] == CLIENT_ID
    assert "client_secret" not in request.form
    assert "authorization" not in request.headers


async def test_a_form_post_provider_is_asked_to_post(
    identity_provider: IdentityProvider,
) -> None:
    provider = provider_with(identity_provider.config(), form_post=True)
    profile = await sign_in(provider)
    url = await address(provider)
    await provider.close()

    assert provider.form_post
    assert profile.subject == "248289761001"
    assert parse_qs(urlsplit(url).query)["response_mode"] == ["form_post"]


async def test_a_code_works_once(provider: Provider, identity_provider: IdentityProvider) -> None:
    await sign_in(provider)
    [used] = [request.form["code"] for request in identity_provider.requests_to(TOKEN)]

    with pytest.raises(ProviderError) as error:
        await sign_in(provider, code=used)
    assert error.value.failure is ProviderFailure.REFUSED
    assert error.value.reason == "token endpoint: invalid_grant"


async def test_a_code_of_another_browser_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match="REFUSED: token endpoint: invalid_grant"):
        await sign_in(provider, code_verifier=new_verifier())


async def test_a_wrong_client_secret_is_named(identity_provider: IdentityProvider) -> None:
    provider = build_provider(identity_provider.config(client_secret="an old one"))

    with pytest.raises(ProviderError, match="REFUSED: token endpoint: invalid_client"):
        await sign_in(provider)
    await provider.close()


async def test_an_error_that_is_a_page_has_its_status(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    page = Response(400, b"<h1>Bad Request</h1>", {"Content-Type": "text/html"})
    identity_provider.answers[TOKEN] = lambda _: page

    with pytest.raises(ProviderError, match="REFUSED: token endpoint: an error with status 400"):
        await sign_in(provider)


@pytest.mark.parametrize(
    ("issuer", "reason"),
    [
        (None, "callback: `iss` is missing"),
        ("", "callback: `iss` is another issuer"),
        ("https://attacker.example", "callback: `iss` is another issuer"),
    ],
)
async def test_the_callback_of_another_provider_gets_no_code(
    provider: Provider, identity_provider: IdentityProvider, issuer: str | None, reason: str
) -> None:
    with pytest.raises(ProviderError) as error:
        await sign_in(provider, issuer=issuer)

    assert error.value.failure is ProviderFailure.INVALID
    assert error.value.reason == reason
    assert identity_provider.requests_to(TOKEN) == []


async def test_the_issuer_of_a_callback_may_be_missing_where_it_is_not_promised(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.metadata = {"authorization_response_iss_parameter_supported": None}

    assert await sign_in(provider, issuer=None)
    with pytest.raises(ProviderError, match="`iss` is another issuer"):
        await sign_in(provider, issuer=identity_provider.issuer + "/")


@pytest.mark.parametrize(
    ("claims", "email", "verified"),
    [
        ({"email_verified": True}, "ada@example.com", True),
        ({"email_verified": "true"}, "ada@example.com", True),
        ({"email_verified": False}, "ada@example.com", False),
        ({"email_verified": "false"}, "ada@example.com", False),
        ({"email_verified": "True"}, "ada@example.com", False),
        ({"email_verified": 1}, "ada@example.com", False),
        ({"email_verified": "1"}, "ada@example.com", False),
        ({"email_verified": [True]}, "ada@example.com", False),
        ({"email_verified": None}, "ada@example.com", False),
        ({"email_verified": None, "xms_edov": True}, "ada@example.com", False),
        ({"email": "not an address"}, None, False),
        ({"email": "ada\x00@example.com"}, None, False),
        ({"email": "\ud800@example.com"}, None, False),
        ({"email": ["ada@example.com"]}, None, False),
        ({"email": "a" * 10_000 + "@example.com"}, None, False),
        ({"email": "", "preferred_username": "ada@example.com"}, None, False),
    ],
)
async def test_an_email_is_verified_only_where_the_provider_says_so(
    provider: Provider,
    identity_provider: IdentityProvider,
    claims: dict[str, Any],
    email: str | None,
    verified: bool,
) -> None:
    identity_provider.claims = claims
    profile = await sign_in(provider)

    assert (profile.email, profile.email_verified) == (email, verified)
    assert identity_provider.requests_to(USERINFO) == []


@pytest.mark.parametrize(
    ("claims", "hint"),
    [
        ({}, "ada"),
        ({"preferred_username": "ada@example.com"}, "ada"),
        ({"preferred_username": " ", "nickname": "countess"}, "countess"),
        ({"preferred_username": 7}, "Ada Lovelace"),
        ({"preferred_username": "a\u202eda"}, "Ada Lovelace"),
        ({"preferred_username": "\ud800", "name": None}, None),
        ({"preferred_username": "a" * 5000}, "a" * 100),
    ],
)
async def test_a_name_is_taken_for_a_hint(
    provider: Provider,
    identity_provider: IdentityProvider,
    claims: dict[str, Any],
    hint: str | None,
) -> None:
    identity_provider.claims = claims

    assert (await sign_in(provider)).name_hint == hint


async def test_an_email_that_the_token_lacks_is_read_from_userinfo(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.claims = {"email": None, "preferred_username": None, "name": None}
    profile = await sign_in(provider)

    assert (profile.email, profile.email_verified) == ("ada@example.com", True)
    assert profile.name_hint == "ada"


async def test_an_email_that_is_null_in_the_token_is_read_from_userinfo(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.id_token = lambda claims: signed(claims | {"email": None}, key("first"))

    assert (await sign_in(provider)).email == "ada@example.com"


async def test_the_token_does_not_verify_the_email_of_userinfo(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    del identity_provider.user["email_verified"]
    identity_provider.claims = {"email": None, "email_verified": True}

    assert not (await sign_in(provider)).email_verified


@pytest.mark.parametrize("subject", ["another", None, 248289761001])
async def test_userinfo_about_another_user_is_refused(
    provider: Provider, identity_provider: IdentityProvider, subject: object
) -> None:
    identity_provider.claims = {"email": None}
    identity_provider.answers[USERINFO] = lambda _: json_response(
        {"sub": subject, "email": "grace@example.com", "email_verified": True}
    )

    with pytest.raises(ProviderError, match="INVALID: userinfo: `sub` is another user's"):
        await sign_in(provider)


async def test_userinfo_is_not_read_where_there_is_none_or_no_email_is_asked_for(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.claims = {"email": None}
    without_email = build_provider(identity_provider.config(scopes="openid"))
    assert (await sign_in(without_email)).email is None
    await without_email.close()
    identity_provider.metadata = {"userinfo_endpoint": None}

    assert (await sign_in(provider)).email is None
    assert identity_provider.requests_to(USERINFO) == []


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ({"access_token": None}, "`access_token` is missing"),
        ({"access_token": "two\r\nlines"}, "`access_token` is missing"),
        ({"access_token": "ümlaut"}, "`access_token` is missing"),
        ({"access_token": "x" * 20_000}, "`access_token` is too long"),
        ({"token_type": "mac"}, "`token_type` is not Bearer"),
        ({"token_type": None}, "`token_type` is not Bearer"),
    ],
)
async def test_an_access_token_that_fits_into_no_header_is_refused(
    provider: Provider, identity_provider: IdentityProvider, token: dict[str, Any], reason: str
) -> None:
    identity_provider.claims = {"email": None}
    identity_provider.answers[TOKEN] = lambda request: json_response(
        json.loads(answer_of(identity_provider, request)) | token
    )

    with pytest.raises(ProviderError, match=f"INVALID: token endpoint: {reason}"):
        await sign_in(provider)


async def test_no_secret_is_logged_or_shown(
    provider: Provider, identity_provider: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    identity_provider.claims = {"email": None}
    profile = await sign_in(provider)
    [sent] = identity_provider.requests_to(TOKEN)
    [token] = identity_provider.access_tokens
    config = identity_provider.config(private_key="a private key")

    logged = [
        record.getMessage()
        for record in caplog.records
        # Those of the browser, which is no part of Gatehouse.
        if record.name.partition(".")[0] not in ("httpx", "httpcore")
    ]
    answer = Answer(TOKEN, 200, "application/json", token.encode())
    credentials = Credentials(CLIENT_ID, CLIENT_SECRET)
    shown = repr([logged, profile, config, client_of(config), vars(provider), answer, credentials])
    secrets = [CLIENT_SECRET, sent.form["code"], sent.form["code_verifier"], token, "a private key"]
    assert "connect_tcp.started" in shown
    assert [secret for secret in secrets if secret in shown] == []


async def test_a_provider_sets_no_cookies(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    metadata = identity_provider.answer
    identity_provider.answers[METADATA] = lambda request: with_cookie(metadata(request))
    await sign_in(provider)

    assert len(identity_provider.requests) > 3
    assert all("cookie" not in request.headers for request in identity_provider.requests)


async def test_connections_are_used_again(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    await provider.check()
    before = identity_provider.connections
    await sign_in(provider)

    # The browser has one of its own.
    assert (before, identity_provider.connections) == (1, 2)


async def test_a_provider_that_can_be_used_passes_the_check(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    await provider.check()

    assert [request.path for request in identity_provider.requests] == [METADATA, KEYS]


async def test_a_provider_without_a_usable_algorithm_fails_the_check(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.metadata = {"id_token_signing_alg_values_supported": ["none", "HS256"]}

    with pytest.raises(ProviderError, match="INVALID: metadata: no algorithm of ID tokens"):
        await provider.check()


def test_our_provider_serves_tests_that_are_not_async() -> None:
    async def sign_in_once(identity_provider: IdentityProvider) -> str:
        provider = build_provider(identity_provider.config())
        profile = await sign_in(provider)
        await provider.close()
        return profile.subject

    with serving_in_thread(IdentityProvider()) as identity_provider:
        assert asyncio.run(sign_in_once(identity_provider)) == "248289761001"


def test_nothing_is_loaded_before_a_provider_is_built() -> None:
    code = (
        "import sys; import api.app, domain.providers, domain.providers.pkce;"
        " sys.exit(bool({'httpx2', 'joserfc'} & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def answer_of(identity_provider: IdentityProvider, request: Request) -> bytes:
    """Return the body that the provider would have answered."""
    answer = identity_provider.answer(request)
    assert isinstance(answer, Response)
    return answer.body


def with_cookie(answer: object) -> Response:
    assert isinstance(answer, Response)
    return replace(answer, headers={**answer.headers, "Set-Cookie": "session=of-one-user; Path=/"})
