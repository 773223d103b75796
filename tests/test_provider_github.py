"""Signing in with GitHub: no ID token, errors with status 200, and emails in a list."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.providers import (
    Profile,
    Provider,
    ProviderConfig,
    ProviderError,
    ProviderFailure,
    build_provider,
)
from domain.providers.pkce import new_verifier
from tests import fault_server as faults
from tests.fault_server import Response, json_response, serving
from tests.github_stand_in import (
    CLIENT_SECRET,
    EMAILS,
    ROOT,
    TOKEN,
    USER,
    GitHub,
    entry,
)
from tests.identity_provider import REDIRECT_URI, sign_in


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with serving(GitHub()) as github:
        yield github


@pytest.fixture
async def provider(github: GitHub) -> AsyncIterator[Provider]:
    provider = build_provider(github.config())
    yield provider
    await provider.close()


async def test_github_says_who_the_user_is(provider: Provider, github: GitHub) -> None:
    assert await sign_in(provider) == Profile(
        issuer=github.url,
        subject="583231",
        email="ada@example.com",
        email_verified=True,
        name_hint="ada",
    )
    assert (provider.name, provider.label, provider.form_post) == ("github", "GitHub", False)


async def test_the_addresses_are_those_of_github() -> None:
    config = ProviderConfig(name="github", client_id="an id", client_secret="a secret")
    provider = build_provider(config)
    url = await provider.authorization_url(
        redirect_uri=REDIRECT_URI, state="a state", nonce="a nonce", code_challenge="a challenge"
    )
    await provider.close()

    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == (
        "https://github.com/login/oauth/authorize"
    )
    assert parse_qs(parts.query) == {
        "client_id": ["an id"],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["user:email"],
        "state": ["a state"],
        "code_challenge": ["a challenge"],
        "code_challenge_method": ["S256"],
    }


@pytest.mark.parametrize(
    ("emails", "email", "verified"),
    [
        ([entry("ada@example.com", primary=True, verified=False)], "ada@example.com", False),
        (
            [
                entry("first@example.com"),
                entry("ada@example.com", primary=True),
                entry("last@example.com"),
            ],
            "ada@example.com",
            True,
        ),
        ([entry("first@example.com"), entry("second@example.com")], None, False),
        (
            [entry("first@example.com"), entry("ada@example.com", primary=True, verified=False)],
            "ada@example.com",
            False,
        ),
        ([], None, False),
        ([{"email": "ada@example.com", "primary": True}], "ada@example.com", False),
        (
            [{"email": "ada@example.com", "primary": True, "verified": "true"}],
            "ada@example.com",
            False,
        ),
        ([{"email": "ada@example.com", "primary": "true", "verified": True}], None, False),
        ([{"email": None, "primary": True, "verified": True}], None, False),
        (["ada@example.com", None, 7], None, False),
    ],
)
async def test_the_email_is_the_primary_one(
    provider: Provider, github: GitHub, emails: list[Any], email: str | None, verified: bool
) -> None:
    github.emails = emails
    profile = await sign_in(provider)

    assert (profile.email, profile.email_verified) == (email, verified)


async def test_a_user_with_another_name_is_the_same_user(
    provider: Provider, github: GitHub
) -> None:
    before = await sign_in(provider)
    github.user["login"] = "countess"
    after = await sign_in(provider)

    assert (before.subject, after.subject) == ("583231", "583231")
    assert after.name_hint == "countess"


@pytest.mark.parametrize("number", [None, True, 0, -1, 1.5, "583231", 10**30, [1]])
async def test_a_user_without_a_number_is_refused(
    provider: Provider, github: GitHub, number: object
) -> None:
    github.user["id"] = number

    with pytest.raises(ProviderError, match="INVALID: user: `id` is missing or not a number"):
        await sign_in(provider)


async def test_an_error_with_status_200_is_an_error(provider: Provider, github: GitHub) -> None:
    with pytest.raises(ProviderError) as wrong_code:
        await sign_in(provider, code="another")
    with pytest.raises(ProviderError) as wrong_verifier:
        await sign_in(provider, code_verifier=new_verifier())
    with pytest.raises(ProviderError) as wrong_address:
        await sign_in(provider, redirect_uri="https://attacker.example/")

    reasons = [error.value.reason for error in (wrong_code, wrong_verifier, wrong_address)]
    assert reasons == [
        "token endpoint: bad_verification_code",
        "token endpoint: bad_verification_code",
        "token endpoint: redirect_uri_mismatch",
    ]
    assert wrong_code.value.failure is ProviderFailure.REFUSED


async def test_a_wrong_client_secret_is_named(github: GitHub) -> None:
    provider = build_provider(github.config(client_secret="an old one"))

    with pytest.raises(ProviderError, match="token endpoint: incorrect_client_credentials"):
        await sign_in(provider)
    await provider.close()


@pytest.mark.parametrize("code", ["A long sentence about a user", "x" * 41, 7, ["bad_code"], ""])
async def test_an_unknown_error_is_not_quoted(
    provider: Provider, github: GitHub, code: object
) -> None:
    github.answers[TOKEN] = lambda _: json_response({"error": code})

    with pytest.raises(ProviderError) as error:
        await sign_in(provider)
    assert error.value.failure is ProviderFailure.REFUSED
    assert error.value.reason == "token endpoint: an error with status 200"


async def test_the_issuer_of_a_callback_is_compared_where_it_is_given(
    provider: Provider, github: GitHub
) -> None:
    github.sends_issuer = False
    assert await sign_in(provider)
    before = len(github.requests_to(TOKEN))

    for issuer in ("https://attacker.example", github.url, ""):
        with pytest.raises(ProviderError, match="INVALID: callback: `iss` is another issuer"):
            await sign_in(provider, issuer=issuer)
    assert len(github.requests_to(TOKEN)) == before


@pytest.mark.parametrize(
    ("path", "source"), [(TOKEN, "token endpoint"), (USER, "user"), (EMAILS, "user/emails")]
)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(500), "answered with status 500"),
        (Response(403), "answered with status 403"),
        (faults.close, "RemoteProtocolError"),
        (faults.large(5 * 2**20), "the body exceeds 1048576 bytes"),
        (faults.redirect("https://attacker.example"), "answered with status 302"),
        (faults.raw_json(b"7"), "the body is not a JSON"),
    ],
)
async def test_a_fault_of_github_is_an_error_that_says_which(
    provider: Provider, github: GitHub, path: str, source: str, answer: Any, reason: str
) -> None:
    github.answers[path] = lambda _: answer

    with pytest.raises(ProviderError) as error:
        await sign_in(provider)
    assert error.value.reason.startswith(f"{source}: {reason}")


async def test_a_token_is_sent_only_to_the_api(provider: Provider, github: GitHub) -> None:
    await sign_in(provider)
    [token] = github.access_tokens

    bearers = [
        request.path
        for request in github.requests
        if request.headers.get("authorization") == f"Bearer {token}"
    ]
    assert bearers == [USER, EMAILS]
    assert token not in repr(vars(provider))
    assert CLIENT_SECRET not in repr(vars(provider))


@pytest.mark.parametrize("status", [200, 401, 403, 429])
async def test_github_can_be_used_if_it_answers(
    provider: Provider, github: GitHub, status: int
) -> None:
    github.answers[ROOT] = lambda _: json_response({}, status)
    await provider.check()

    assert [request.path for request in github.requests] == [ROOT]


@pytest.mark.parametrize(("status", "failure"), [(503, "UNAVAILABLE"), (404, "REFUSED")])
async def test_another_server_is_not_github(
    provider: Provider, github: GitHub, status: int, failure: str
) -> None:
    github.answers[ROOT] = lambda _: Response(status)

    with pytest.raises(ProviderError, match=f"{failure}: API: answered with status {status}"):
        await provider.check()
