"""ID tokens that a hostile or broken provider sends: each is refused, and the reason says why."""

import hmac
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.providers import Provider, ProviderError, ProviderFailure, id_tokens
from tests.fault_server import json_response
from tests.identity_provider import CLIENT_ID, KEYS, IdentityProvider, sign_in
from tests.jwts import SigningKey, encode, joined, key, signed

Claims = dict[str, Any]
Maker = Callable[[Claims], Any]

FIRST = key("first")
SECOND = key("second")
RSA = key("rsa", "RS256")

NOW = int(time.time())


def with_claims(**changes: Any) -> Maker:
    """Return a maker of a token with these claims, without those that are None."""
    return lambda claims: signed(
        {name: value for name, value in (claims | changes).items() if value is not None}, FIRST
    )


def with_header(**header: Any) -> Maker:
    return lambda claims: signed(claims, FIRST, **header)


def unsigned(claims: Claims) -> str:
    return joined({"alg": "none", "typ": "JWT"}, claims, lambda _: b"")


def with_the_signature_removed(claims: Claims) -> str:
    return signed(claims, FIRST).rpartition(".")[0] + "."


def signed_with_the_public_key(claims: Claims) -> str:
    """Return a token that verifies if the public key, which everybody knows, is taken for a secret
    (CVE-2016-10555)."""
    pem = RSA.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "kid": RSA.kid, "typ": "JWT"}
    return joined(header, claims, lambda message: hmac.digest(pem, message, "sha256"))


def signed_with_an_embedded_key(claims: Claims) -> str:
    """Return a token that brings the key that it is to be verified with (CVE-2018-0114)."""
    forger = key("forger")
    return signed(claims, forger, kid=None, jwk=forger.jwk())


def with_another_payload(claims: Claims) -> str:
    header, _, signature = signed(claims, FIRST).split(".")
    payload = signed(claims | {"sub": "another"}, FIRST).split(".")[1]
    return f"{header}.{payload}.{signature}"


def deep(depth: int) -> Maker:
    return lambda _: signed(b'{"a":' + b"[" * depth + b"]" * depth + b"}", FIRST)


BAD_TOKENS: dict[str, tuple[Maker, str]] = {
    # The signature.
    "alg none": (unsigned, "it is not a signed JWT"),
    "alg none with a signature": (
        lambda claims: joined({"alg": "none"}, claims, lambda _: b"x"),
        "its algorithm 'none' is not one for ID tokens",
    ),
    "alg nOnE": (
        lambda claims: joined({"alg": "nOnE"}, claims, lambda _: b"x"),
        "its algorithm 'nOnE' is not one for ID tokens",
    ),
    "no alg": (
        lambda claims: joined({"kid": "first"}, claims, FIRST.sign),
        "its header or payload cannot be decoded",
    ),
    "alg is a list": (with_header(alg=["ES256"]), "its algorithm ['ES256'] is not one"),
    "alg is an object": (with_header(alg={"ES256": 1}), "its algorithm {'ES256': 1} is not one"),
    "HS256 with the public key": (
        signed_with_the_public_key,
        "its algorithm 'HS256' is not one for ID tokens",
    ),
    "an algorithm that is not listed": (
        with_header(alg="ES384"),
        "its algorithm ES384 is not listed in the metadata",
    ),
    "signature removed": (with_the_signature_removed, "it is not a signed JWT"),
    "signature of zeros": (
        lambda claims: joined({"alg": "ES256", "kid": "first"}, claims, lambda _: bytes(64)),
        "its signature is wrong",
    ),
    "signature too short": (
        lambda claims: joined({"alg": "ES256", "kid": "first"}, claims, lambda _: b"x"),
        "its signature is wrong",
    ),
    "payload exchanged": (with_another_payload, "its signature is wrong"),
    "key of another provider": (lambda claims: signed(claims, key("foreign")), "is not published"),
    "key of another provider with a known kid": (
        lambda claims: signed(claims, key("foreign"), kid="first"),
        "its signature is wrong",
    ),
    "kid of one key and signature of another": (
        lambda claims: signed(claims, SECOND, kid="first"),
        "its signature is wrong",
    ),
    "kid of a key for another algorithm": (
        lambda claims: signed(claims, FIRST, kid="rsa"),
        "its key is not published",
    ),
    "PS256 with a key for RS256": (
        lambda claims: signed(claims, SigningKey("rsa", "PS256", RSA.private)),
        "its key is not published",
    ),
    "a key for encryption": (
        lambda claims: signed(claims, key("encryption")),
        "its key is not published",
    ),
    "no kid, with several keys": (
        with_header(kid=None),
        "it has no `kid`, and several keys are published",
    ),
    "kid is a number": (with_header(kid=1), "its `kid` is not a string"),
    "kid is a path": (with_header(kid="../../etc/passwd"), "its key is not published"),
    "embedded key": (signed_with_an_embedded_key, "several keys are published"),
    "unknown crit": (with_header(crit=["exp"], exp=1), "its header has `crit`"),
    "crit without its header": (with_header(crit=["b64"]), "its header has `crit`"),
    "payload not encoded": (
        with_header(crit=["b64"], b64=False),
        "its header has `crit`",
    ),
    "payload not encoded, without crit": (with_header(b64=False), "cannot be decoded"),
    "an access token": (with_header(typ="at+jwt"), "its type is 'at+jwt'"),
    "a logout token": (with_header(typ="LOGOUT+JWT"), "its type is 'LOGOUT+JWT'"),
    # The format.
    "no token": (lambda _: None, "token endpoint: `id_token` is missing"),
    "an object": (lambda claims: claims, "token endpoint: `id_token` is missing"),
    "empty": (lambda _: "", "it is not a signed JWT"),
    "garbage": (lambda _: "garbage", "it is not a signed JWT"),
    "garbage in three parts": (lambda _: "gar.ba.ge", "cannot be decoded"),
    "not ASCII": (lambda claims: signed(claims, FIRST) + "ü", "it is not a signed JWT"),
    "white space": (lambda claims: signed(claims, FIRST) + "\n", "it is not a signed JWT"),
    "padding": (lambda claims: signed(claims, FIRST) + "==", "it is not a signed JWT"),
    "four parts": (lambda claims: signed(claims, FIRST) + ".e30", "it is not a signed JWT"),
    "encrypted": (lambda _: "e30.e30.e30.e30.e30", "it is not a signed JWT"),
    "huge": (with_claims(groups=["x" * 100] * 1000), "it exceeds 32768 characters"),
    "header is a list": (
        lambda claims: joined(["alg"], claims, FIRST.sign),
        "its header is not a JSON object",
    ),
    "header is a string": (
        lambda claims: joined("alg", claims, FIRST.sign),
        "its header is not a JSON object",
    ),
    "deep header": (
        lambda claims: f"{encode(b'[' * 20_000)}.e30.e30",
        "its header or payload cannot be decoded",
    ),
    "payload is a list": (lambda _: signed(b"[]", FIRST), "its payload is not a JSON object"),
    "payload is no JSON": (lambda _: signed(b"{", FIRST), "its payload is not a JSON object"),
    "payload is no UTF-8": (lambda _: signed(b'"\xff"', FIRST), "is not a JSON object"),
    "deep payload": (deep(10_000), "its payload is not a JSON object"),
    "payload with a huge number": (
        lambda _: signed(b'{"exp":' + b"9" * 5000 + b"}", FIRST),
        "its payload is not a JSON object",
    ),
    # The issuer and the subject.
    "no iss": (with_claims(iss=None), "`iss` is None instead of"),
    "other iss": (
        with_claims(iss="https://attacker.example"),
        "'https://attacker.example' instead",
    ),
    "iss with a slash": (
        lambda claims: signed(claims | {"iss": claims["iss"] + "/"}, FIRST),
        "/' instead of",
    ),
    "iss in upper case": (
        lambda claims: signed(claims | {"iss": claims["iss"].upper()}, FIRST),
        "`iss` is 'HTTP://",
    ),
    "iss is a list": (
        lambda claims: signed(claims | {"iss": [claims["iss"]]}, FIRST),
        "`iss` is ['http://",
    ),
    "no sub": (with_claims(sub=None), "`sub` is missing"),
    "empty sub": (with_claims(sub=""), "`sub` is missing"),
    "sub is a number": (with_claims(sub=1), "`sub` is missing"),
    "long sub": (with_claims(sub="x" * 256), "`sub` is missing"),
    "sub that no database stores": (with_claims(sub="a\x00b"), "`sub` is missing"),
    "sub that no encoding has": (with_claims(sub="\ud800"), "`sub` is missing"),
    # The audience.
    "no aud": (with_claims(aud=None), "`aud` is not this client alone"),
    "other aud": (with_claims(aud="another"), "`aud` is not this client alone"),
    "other aud with our azp": (with_claims(aud="another", azp=CLIENT_ID), "`aud` is not this"),
    "two aud": (with_claims(aud=[CLIENT_ID, "another"]), "`aud` is not this client alone"),
    "two aud with our azp": (with_claims(aud=[CLIENT_ID, "x"], azp=CLIENT_ID), "`aud` is not"),
    "aud twice": (with_claims(aud=[CLIENT_ID, CLIENT_ID]), "`aud` is not this client alone"),
    "aud is empty": (with_claims(aud=[]), "`aud` is not this client alone"),
    "aud is an object": (with_claims(aud={CLIENT_ID: 1}), "`aud` is not this client alone"),
    "aud begins alike": (with_claims(aud=CLIENT_ID + "2"), "`aud` is not this client alone"),
    "other azp": (with_claims(azp="another"), "`azp` is another client"),
    "azp is a list": (with_claims(azp=[CLIENT_ID]), "`azp` is another client"),
    # The times.
    "no exp": (with_claims(exp=None), "`exp`, `iat` or `nbf` is missing or not an integer"),
    "no iat": (with_claims(iat=None), "`exp`, `iat` or `nbf` is missing or not an integer"),
    "exp is a string": (with_claims(exp=str(NOW + 300)), "missing or not an integer"),
    "exp is a fraction": (with_claims(exp=NOW + 300.5), "missing or not an integer"),
    "exp is endless": (with_claims(exp=float("inf")), "missing or not an integer"),
    "exp is no number": (with_claims(exp=float("nan")), "missing or not an integer"),
    "exp is true": (with_claims(exp=True), "missing or not an integer"),
    "iat is a string": (with_claims(iat=str(NOW)), "missing or not an integer"),
    "nbf is a string": (with_claims(nbf=str(NOW)), "missing or not an integer"),
    "expired": (with_claims(exp=NOW - 600), "it has expired"),
    "expired in 1969": (with_claims(exp=-1), "it has expired"),
    "early": (with_claims(nbf=NOW + 86_400), "`iat` or `nbf` is in the future"),
    "issued in the future": (with_claims(iat=NOW + 86_400), "`iat` or `nbf` is in the future"),
    "issued long ago": (with_claims(iat=NOW - 86_400), "`iat` is too long ago"),
    # The nonce.
    "no nonce": (with_claims(nonce=None), "`nonce` is missing"),
    "other nonce": (with_claims(nonce="another"), "`nonce` is of another request"),
    "empty nonce": (with_claims(nonce=""), "`nonce` is of another request"),
    "nonce is a list": (
        lambda claims: signed(claims | {"nonce": [claims["nonce"]]}, FIRST),
        "`nonce` is missing",
    ),
    "nonce that no encoding has": (with_claims(nonce="\ud800"), "`nonce` is of another request"),
}


@pytest.mark.parametrize("fault", BAD_TOKENS)
async def test_a_bad_token_is_refused(
    provider: Provider, identity_provider: IdentityProvider, fault: str
) -> None:
    maker, reason = BAD_TOKENS[fault]
    encryption = key("encryption")
    identity_provider.published = [FIRST, SECOND, RSA]
    keys = [one.jwk() for one in identity_provider.published]
    keys.append(encryption.jwk() | {"use": "enc"})
    publish(identity_provider, keys)
    identity_provider.id_token = maker

    with pytest.raises(ProviderError) as error:
        await sign_in(provider)
    assert error.value.failure is ProviderFailure.INVALID
    assert reason in error.value.reason
    assert len(error.value.reason) < 500


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_token_of_any_usual_algorithm_is_accepted(
    provider: Provider, identity_provider: IdentityProvider, algorithm: str
) -> None:
    used = key("used", algorithm)
    identity_provider.published, identity_provider.signs_with = [FIRST, used], used

    assert (await sign_in(provider)).subject == "248289761001"


@pytest.mark.parametrize(
    "maker",
    [
        with_claims(aud=[CLIENT_ID]),
        with_claims(azp=CLIENT_ID),
        with_claims(nbf=NOW - 10),
        with_claims(groups=["x" * 100] * 100),
        with_header(typ=None),
        with_header(typ="jwt"),
        with_header(x5t="a thumbprint", custom="a header that we do not know"),
        with_header(kid=None),
    ],
)
async def test_an_unusual_token_is_accepted(
    provider: Provider, identity_provider: IdentityProvider, maker: Maker
) -> None:
    identity_provider.id_token = maker

    assert (await sign_in(provider)).subject == "248289761001"


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (["HS256"], "its algorithm ES256 is not listed"),
        (["none"], "its algorithm ES256 is not listed"),
        ([], "its algorithm ES256 is not listed"),
        # The default (OpenID Connect Core section 3.1.3.7, 7).
        (None, "its algorithm ES256 is not listed"),
        ([["ES256"], 1], "its algorithm ES256 is not listed"),
        ("ES256", "metadata: `id_token_signing_alg_values_supported` is not a list"),
    ],
)
async def test_only_listed_algorithms_are_accepted(
    provider: Provider, identity_provider: IdentityProvider, listed: object, reason: str
) -> None:
    identity_provider.metadata = {"id_token_signing_alg_values_supported": listed}

    with pytest.raises(ProviderError) as error:
        await sign_in(provider)
    assert reason in error.value.reason


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_an_algorithm_without_a_key_is_refused_though_it_is_listed(
    provider: Provider, identity_provider: IdentityProvider, algorithm: str
) -> None:
    identity_provider.metadata = {"id_token_signing_alg_values_supported": [algorithm]}
    identity_provider.id_token = lambda claims: joined({"alg": algorithm}, claims, lambda _: b"x")

    with pytest.raises(ProviderError, match=f"its algorithm '{algorithm}' is not one"):
        await sign_in(provider)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x": "AAAA", "y": "AAAA"}, "a key cannot be used"),
        ({"x": None}, "a key cannot be used"),
        ({"x": 1}, "a key cannot be used"),
        ({"x": "not base64!"}, "a key cannot be used"),
        ({"crv": "P-384"}, "its key is not published"),
        ({"kty": "oct", "k": "AAAA"}, "its key is not published"),
        ({"kty": ["EC"]}, "its key is not published"),
        ({"alg": "ES512"}, "its key is not published"),
        ({"use": "enc"}, "its key is not published"),
        ({"kid": ["first"]}, "its key is not published"),
        ({"kid": None}, "its key is not published"),
    ],
)
async def test_a_broken_key_is_refused(
    provider: Provider, identity_provider: IdentityProvider, change: dict[str, Any], reason: str
) -> None:
    publish(identity_provider, [FIRST.jwk() | change, "no key", None])

    with pytest.raises(ProviderError) as error:
        await sign_in(provider)
    assert error.value.failure is ProviderFailure.INVALID
    assert reason in error.value.reason


async def test_a_broken_key_does_not_spoil_the_others(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    broken = {"kty": "RSA", "kid": "broken", "n": 1, "e": None}
    publish(identity_provider, [broken, {"kty": "AKP", "kid": "new"}, FIRST.jwk()])

    assert await sign_in(provider)


async def test_what_else_a_key_says_is_ignored(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    odd = {"x5c": "no list", "key_ops": ["wrapKey"], "d": "a private key by mistake"}
    publish(identity_provider, [FIRST.jwk() | odd])

    assert await sign_in(provider)


# joserfc accepts it with a warning, and all warnings are errors in tests.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_weak_key_is_refused(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    weak = key("weak", "RS256", bits=1024)
    identity_provider.published, identity_provider.signs_with = [weak], weak

    with pytest.raises(ProviderError, match="INVALID: keys: a key cannot be used"):
        await sign_in(provider)


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"exp": 1000 - 59}, True),
        ({"exp": 1000 - 60}, False),
        ({"iat": 1000 + 60}, True),
        ({"iat": 1000 + 61}, False),
        ({"nbf": 1000 + 60}, True),
        ({"nbf": 1000 + 61}, False),
        ({"iat": 1000 - 3600}, True),
        ({"iat": 1000 - 3601}, False),
    ],
)
def test_a_clock_may_differ_by_a_minute(
    monkeypatch: pytest.MonkeyPatch, claims: Claims, accepted: bool
) -> None:
    monkeypatch.setattr(id_tokens, "time", SimpleNamespace(time=lambda: 1000))
    complete = {
        "iss": "i",
        "sub": "s",
        "aud": "c",
        "iat": 1000,
        "exp": 1100,
        "nonce": "n",
        **claims,
    }

    def check() -> None:
        id_tokens.check(complete, issuer="i", client_id="c", nonce="n")

    if accepted:
        check()
    else:
        with pytest.raises(ProviderError):
            check()


def test_the_hostile_keys_are_what_they_seem() -> None:
    """Otherwise a fault of the tests would look like a token that is refused."""
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    assert len({FIRST.private, SECOND.private, key("foreign").private}) == 3


def publish(identity_provider: IdentityProvider, keys: list[Any]) -> None:
    identity_provider.answers[KEYS] = lambda _: json_response({"keys": keys})
