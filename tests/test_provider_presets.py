"""What is special about Google, Microsoft and Apple, and what a configuration must have."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwt

from domain.providers import (
    InvalidProvider,
    Provider,
    ProviderConfig,
    ProviderError,
    apple,
    build_provider,
)
from domain.providers.oidc import OpenIdClient
from domain.providers.presets import client_of
from tests.fault_server import Request, json_response, serving
from tests.identity_provider import (
    AUTHORIZE,
    CLIENT_ID,
    KEYS,
    METADATA,
    TOKEN,
    IdentityProvider,
    provider_with,
    sign_in,
)
from tests.jwts import decode, key

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"

APPLE_KEY = ec.generate_private_key(ec.SECP256R1())


def pem(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_pem(private: ec.EllipticCurvePrivateKey) -> str:
    return (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def config(name: str, **others: Any) -> ProviderConfig:
    return ProviderConfig(
        **{"name": name, "client_id": "an id", "client_secret": "secret"} | others
    )


def apple_config(**others: Any) -> ProviderConfig:
    values = {
        "name": "apple",
        "client_id": CLIENT_ID,
        "team_id": "A1B2C3D4E5",
        "key_id": "F6G7H8I9J0",
        "private_key": pem(APPLE_KEY),
    }
    return ProviderConfig(**values | others)


def client(config: ProviderConfig) -> OpenIdClient:
    found = client_of(config)
    assert isinstance(found, OpenIdClient)
    return found


# Google and others.


def test_google_needs_only_what_google_gives() -> None:
    google = client(config("google"))

    assert google.issuer == "https://accounts.google.com"
    assert google.label == "Google"
    assert google.scopes == "openid email profile"
    assert not google.form_post


def test_any_provider_needs_only_its_issuer() -> None:
    work = client(config("work", issuer="https://login.example.com/realms/staff"))

    assert (work.name, work.label) == ("work", "Work")
    assert client(config("work", issuer="https://a.example", label="Staff")).label == "Staff"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Work"}, "the name must have 1 to 32 lower-case letters and digits"),
        ({"name": ""}, "the name must have"),
        ({"name": "a/b"}, "the name must have"),
        ({"name": "x" * 33}, "the name must have"),
        ({"client_id": ""}, "the client id is missing"),
        ({"issuer": None}, "the issuer is missing"),
        ({"issuer": "http://login.example.com"}, "the issuer must be an https address"),
        ({"issuer": "login.example.com"}, "the issuer must be an https address"),
        ({"issuer": "https://login.example.com/?realm=a"}, "the issuer must be an https address"),
        ({"issuer": "https://login.example.com/#a"}, "the issuer must be an https address"),
        (
            {"issuer": "https://a.example/" + "x" * 200},
            "the issuer must have at most 200 characters",
        ),
        ({"scopes": "email profile"}, "the scopes must include openid"),
        (
            {"authentication": "private_key_jwt"},
            "the authentication must be client_secret_basic or",
        ),
        ({"name": "google", "client_secret": None}, "the client secret is missing"),
        ({"name": "github", "client_secret": ""}, "the client secret is missing"),
        ({"name": "microsoft", "client_secret": None}, "the client secret is missing"),
        ({"name": "microsoft"}, "the issuer must be like https://login.microsoftonline.com/"),
        ({"name": "apple"}, "the team id, the key id or the private key is missing"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(changes: dict[str, Any], message: str) -> None:
    complete = {"name": "work", "issuer": "https://login.example.com", **changes}

    with pytest.raises(InvalidProvider, match=message):
        build_provider(config(**complete))


# Microsoft.


@pytest.fixture
async def microsoft(identity_provider: IdentityProvider) -> AsyncIterator[Provider]:
    """Yield our client of a provider that behaves like Microsoft's for all tenants."""
    url = identity_provider.url
    identity_provider.metadata = {
        "issuer": f"{url}/{{tenantid}}/v2.0",
        "authorization_response_iss_parameter_supported": None,
    }
    identity_provider.answers[f"/common/v2.0{METADATA}"] = identity_provider.as_of(METADATA)
    identity_provider.claims = {
        "iss": f"{url}/{TENANT}/v2.0",
        "tid": TENANT,
        "email_verified": None,
    }
    microsoft = build_provider(
        identity_provider.config(name="microsoft", issuer=f"{url}/common/v2.0")
    )
    yield microsoft
    await microsoft.close()


@pytest.mark.parametrize(
    ("tenant", "issuer"),
    [
        (None, "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ("common", "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ("organizations", "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ("consumers", f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"),
        (TENANT, f"https://login.microsoftonline.com/{TENANT}/v2.0"),
    ],
)
def test_microsoft_has_an_issuer_for_each_tenant(tenant: str | None, issuer: str) -> None:
    address = f"https://login.microsoftonline.com/{tenant}/v2.0" if tenant else None
    microsoft = client(config("microsoft", issuer=address))

    assert microsoft.issuer == issuer
    assert microsoft.metadata_url == (
        f"https://login.microsoftonline.com/{tenant or 'common'}/v2.0{METADATA}"
    )
    assert microsoft.label == "Microsoft"


async def test_a_microsoft_user_belongs_to_a_tenant(
    microsoft: Provider, identity_provider: IdentityProvider
) -> None:
    profile = await sign_in(microsoft, issuer=None)

    assert profile.issuer == f"{identity_provider.url}/{TENANT}/v2.0"
    assert profile.subject == "248289761001"


@pytest.mark.parametrize(
    ("claims", "verified"),
    [
        ({"xms_edov": True}, True),
        ({"xms_edov": 1}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": "true"}, True),
        ({"xms_edov": False}, False),
        ({"xms_edov": 0}, False),
        ({"xms_edov": "0"}, False),
        ({"xms_edov": "false"}, False),
        ({"xms_edov": "True"}, False),
        ({"xms_edov": 1.0}, False),
        ({"xms_edov": 2}, False),
        ({"xms_edov": [True]}, False),
        ({}, False),
        ({"email_verified": True}, False),
    ],
)
async def test_an_email_of_microsoft_needs_the_proof_of_its_domain(
    microsoft: Provider,
    identity_provider: IdentityProvider,
    claims: dict[str, Any],
    verified: bool,
) -> None:
    identity_provider.claims |= claims
    profile = await sign_in(microsoft, issuer=None)

    assert (profile.email, profile.email_verified) == ("ada@example.com", verified)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"tid": None}, "`tid` is missing or not the id of a tenant"),
        ({"tid": "{tenantid}"}, "`tid` is missing or not the id of a tenant"),
        ({"tid": "common"}, "`tid` is missing or not the id of a tenant"),
        ({"tid": f"{TENANT}/v2.0/../{TENANT}"}, "`tid` is missing or not the id of a tenant"),
        ({"tid": [TENANT]}, "`tid` is missing or not the id of a tenant"),
        ({"tid": OTHER_TENANT}, f"{TENANT}/v2.0' instead of"),
    ],
)
async def test_a_token_of_microsoft_names_the_tenant_of_its_issuer(
    microsoft: Provider,
    identity_provider: IdentityProvider,
    claims: dict[str, Any],
    reason: str,
) -> None:
    identity_provider.claims |= claims

    with pytest.raises(ProviderError) as error:
        await sign_in(microsoft, issuer=None)
    assert reason in error.value.reason


async def test_the_template_is_no_issuer(
    microsoft: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.claims["iss"] = f"{identity_provider.url}/{{tenantid}}/v2.0"

    with pytest.raises(ProviderError, match="ID token: `iss` is"):
        await sign_in(microsoft, issuer=None)


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"/{TENANT}/v2.0", True),
        ("/{tenantid}/v2.0", False),
        ("/common/v2.0", False),
        (f"/{TENANT}/v1.0", False),
        (f"/{TENANT}/v2.0/", False),
        ("/v2.0", False),
        ("", False),
    ],
)
async def test_the_issuer_of_a_callback_of_microsoft_may_be_any_tenant(
    microsoft: Provider, identity_provider: IdentityProvider, path: str, accepted: bool
) -> None:
    issuer = identity_provider.url + path

    if accepted:
        assert await sign_in(microsoft, issuer=issuer)
    else:
        with pytest.raises(ProviderError, match="callback: `iss` is another issuer"):
            await sign_in(microsoft, issuer=issuer)


@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [
        ("{url}/{{tenantid}}/v2.0", True),
        (f"{{url}}/{TENANT}/v2.0", True),
        # Of the keys for personal accounts, whose users must not speak for a company.
        (f"{{url}}/{OTHER_TENANT}/v2.0", False),
        (7, False),
    ],
)
async def test_a_key_of_microsoft_is_for_its_issuer(
    microsoft: Provider, identity_provider: IdentityProvider, issuer: Any, accepted: bool
) -> None:
    owner = issuer.format(url=identity_provider.url) if isinstance(issuer, str) else issuer
    keys = [key("first").jwk() | {"issuer": owner}]
    identity_provider.answers[KEYS] = lambda _: json_response({"keys": keys})

    if accepted:
        assert await sign_in(microsoft, issuer=None)
    else:
        with pytest.raises(ProviderError, match="INVALID: ID token: its key is for another issuer"):
            await sign_in(microsoft, issuer=None)


# Apple.


class Apple(IdentityProvider):
    """A provider that behaves like Apple's: it verifies a client secret by its signature."""

    def is_client(self, request: Request) -> bool:
        assert "authorization" not in request.headers
        claims = jwt.decode(
            request.form["client_secret"],
            public_pem(APPLE_KEY),
            algorithms=["ES256"],
            audience="https://appleid.apple.com",
            issuer="A1B2C3D4E5",
            subject=request.form["client_id"],
        )
        # Apple's limit: six months.
        return bool(claims["exp"] - claims["iat"] <= 15_777_000)


@pytest.fixture
async def apple_stand_in() -> AsyncIterator[Apple]:
    async with serving(Apple()) as apple_stand_in:
        yield apple_stand_in


async def test_apple_gets_a_signed_secret_and_posts_its_answer(apple_stand_in: Apple) -> None:
    apple_stand_in.claims = {"email_verified": "true", "name": None, "preferred_username": None}
    url = apple_stand_in.url
    published = replace(
        apple.METADATA,
        issuer=url,
        authorization_endpoint=url + AUTHORIZE,
        token_endpoint=url + TOKEN,
        jwks_uri=url + KEYS,
        signing_algorithms=("ES256",),
    )
    provider = provider_with(apple_config(), issuer=url, metadata=published)
    profile = await sign_in(provider)
    await sign_in(provider)
    await provider.close()

    assert (profile.email, profile.email_verified) == ("ada@example.com", True)
    assert profile.name_hint is None
    assert (provider.label, provider.form_post) == ("Apple", True)
    # Its metadata are not read.
    assert apple_stand_in.requests_to(METADATA) == []
    first, second = (sent.form["client_secret"] for sent in apple_stand_in.requests_to(TOKEN))
    assert first != second


def test_a_secret_for_apple_is_as_apple_documents_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apple, "time", SimpleNamespace(time=lambda: 1_800_000_000.5))
    secret = client(apple_config()).secret
    assert secret
    header, claims, _ = secret().split(".")

    assert decode(header) == {"alg": "ES256", "kid": "F6G7H8I9J0", "typ": "JWT"}
    assert decode(claims) == {
        "iss": "A1B2C3D4E5",
        "sub": CLIENT_ID,
        "aud": "https://appleid.apple.com",
        "iat": 1_800_000_000,
        "exp": 1_800_000_300,
    }


async def test_the_addresses_are_those_of_apple() -> None:
    provider = build_provider(apple_config())
    url = await provider.authorization_url(
        redirect_uri="https://gatehouse.test/", state="s", nonce="n", code_challenge="c"
    )
    await provider.close()

    parts = urlsplit(url)
    assert f"{parts.netloc}{parts.path}" == "appleid.apple.com/auth/authorize"
    assert parse_qs(parts.query)["response_mode"] == ["form_post"]
    assert parse_qs(parts.query)["scope"] == ["openid email"]


@pytest.mark.parametrize(
    "private_key",
    [
        "not a key",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        public_pem(APPLE_KEY),
    ],
)
def test_a_key_that_cannot_sign_for_apple_is_refused_without_being_quoted(
    private_key: str,
) -> None:
    with pytest.raises(InvalidProvider) as error:
        build_provider(apple_config(private_key=private_key))

    assert str(error.value) == "the private key must be a PEM text with an EC key for P-256"
    assert error.value.__cause__ is None
