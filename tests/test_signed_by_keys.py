"""Access tokens signed by keys, and by a secret. Each is verified only by what signed it."""

import base64
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from jose import jwt

from domain.access_tokens import jwk
from domain.access_tokens.keys import Key, KeyRing
from domain.access_tokens.tokens import AccessTokens, Caller
from domain.errors import TokenExpired, Unauthenticated
from tests.tokens import ISSUER, SECRET, claims, unsigned
from tests.users import IN_A_YEAR

FORMER = "another secret, that has signed before this one"
CALLER = Caller(user_id=uuid4(), session_id=uuid4())
NOW = int(time.time())


def key(algorithm: str = "ES256", *, age: int = 60) -> Key:
    return Key.generate(algorithm, made_at=NOW - age, signs_from=NOW - age)


def tokens_of(
    *keys: Key, algorithm: str = "ES256", secret: str = "", fallbacks: tuple[str, ...] = ()
) -> AccessTokens:
    return AccessTokens(secret, algorithm, timedelta(minutes=30), ISSUER, fallbacks, KeyRing(keys))


def issued_by(tokens: AccessTokens) -> str:
    return tokens.issue(CALLER, not_after=IN_A_YEAR).value


def pem_of(key: Key | jwk.PrivateKey) -> str:
    if isinstance(key, Key):
        return key.public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def signed(signer: Key, algorithm: str | None = None, **header: Any) -> str:
    assert signer.private
    return jwt.encode(
        claims(),
        pem_of(signer.private),
        algorithm or signer.algorithm,
        {"typ": "at+jwt", "kid": signer.kid, **header},
    )


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_token_names_the_key_that_signed_it(algorithm: str) -> None:
    signer = key(algorithm)
    token = issued_by(tokens_of(signer, algorithm=algorithm))

    header = {"alg": algorithm, "typ": "at+jwt", "kid": signer.kid}
    assert jwt.get_unverified_header(token) == header
    assert tokens_of(signer, algorithm=algorithm).read(token).caller == CALLER


def test_all_keys_verify_and_the_newest_signs() -> None:
    old, new, foreign = key(age=90), key(age=60), key("RS256", age=30)
    tokens = tokens_of(new, old, foreign)

    assert jwt.get_unverified_header(issued_by(tokens))["kid"] == new.kid
    for signer in (old, new, foreign):
        assert tokens.read(signed(signer))


def test_what_the_other_tests_forge_would_be_usable_if_it_were_right() -> None:
    signer = key()

    assert tokens_of(signer).read(signed(signer))


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_public_key_is_nobodys_secret(algorithm: str) -> None:
    signer = key(algorithm)
    pem = pem_of(signer)
    raw = base64.urlsafe_b64encode(pem.encode()).decode()
    secrets: list[dict[str, Any]] = [
        {"kty": "oct", "k": raw},
        {"kty": "oct", "k": signer.as_public_jwk().get("x", signer.as_public_jwk().get("n"))},
    ]
    for secret in ("", SECRET):
        tokens = tokens_of(signer, algorithm=algorithm, secret=secret)
        for hs in ("HS256", "HS384", "HS512"):
            for header in ({"kid": signer.kid}, {}):
                for forger in secrets:
                    token = jwt.encode(claims(), forger, hs, {"typ": "at+jwt", **header})
                    with pytest.raises(Unauthenticated):
                        tokens.read(token)


def test_a_secret_that_is_not_there_signs_nothing() -> None:
    tokens = tokens_of(key())

    for forger in ("", " ", "None"):
        with pytest.raises(Unauthenticated):
            tokens.read(jwt.encode(claims(), forger, "HS256", {"typ": "at+jwt"}))


def test_a_key_is_for_its_own_algorithm_alone() -> None:
    rs = key("RS256")
    tokens = tokens_of(key(), rs)

    for algorithm in ("RS384", "RS512"):
        with pytest.raises(Unauthenticated):
            tokens.read(signed(rs, algorithm))


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        5,
        True,
        [],
        ["a"],
        {},
        "unknown",
        "x" * 1500,
        "../../etc/passwd",
        "/dev/zero",
        "keys/a.json",
        "\ud800",
        "' OR 1=1 --",
    ],
)
def test_a_kid_that_is_none_of_ours_finds_no_key(kid: object) -> None:
    signer = key()

    with pytest.raises(Unauthenticated):
        tokens_of(signer, secret=SECRET).read(signed(signer, kid=kid))


def test_another_keys_kid_does_not_make_its_signature() -> None:
    one, two, rs = key(), key(), key("RS256")
    tokens = tokens_of(one, two, rs)

    for signer, named in ((one, two), (two, one), (one, rs), (rs, one)):
        with pytest.raises(Unauthenticated):
            tokens.read(signed(signer, kid=named.kid))


def test_a_key_that_a_token_brings_along_is_not_used() -> None:
    ours, theirs = key(), key()
    assert theirs.private

    for header in (
        {"jwk": theirs.as_public_jwk()},
        {"jku": "https://evil.example.com/jwks.json"},
        {"x5u": "https://evil.example.com/cert"},
    ):
        with pytest.raises(Unauthenticated):
            tokens_of(ours).read(signed(theirs, kid=ours.kid, **header))


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_a_token_with_anything_added_is_another(algorithm: str) -> None:
    tokens = tokens_of(key(), algorithm=algorithm, secret=SECRET)
    token = issued_by(tokens)

    # Characters that base64 decoders ignore.
    for added in ("=", "!", "!" * 1000, "\n", " "):
        with pytest.raises(Unauthenticated):
            tokens.read(token + added)
        with pytest.raises(Unauthenticated):
            tokens.read(token[:-9] + added + token[-9:])


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, ["ES256"]])
def test_no_algorithm_is_no_signature(alg: object) -> None:
    signer = key()
    token = unsigned({"alg": alg, "typ": "at+jwt", "kid": signer.kid}, claims())

    with pytest.raises(Unauthenticated):
        tokens_of(signer).read(token)


def test_tokens_of_the_secret_stay_valid_when_keys_sign_and_the_other_way_round() -> None:
    signer = key()
    before = [
        issued_by(tokens_of(algorithm=hs, secret=SECRET)) for hs in ("HS256", "HS384", "HS512")
    ]
    by_key = issued_by(tokens_of(signer, secret=SECRET))

    for token in before:
        assert tokens_of(signer, secret=SECRET).read(token).caller == CALLER
        with pytest.raises(Unauthenticated):
            tokens_of(signer).read(token)
    assert tokens_of(signer, secret=SECRET, algorithm="HS256").read(by_key).caller == CALLER


def test_a_former_secret_verifies_and_does_not_sign() -> None:
    before = issued_by(tokens_of(algorithm="HS256", secret=FORMER))
    tokens = tokens_of(algorithm="HS256", secret=SECRET, fallbacks=(FORMER,))

    assert tokens.read(before).caller == CALLER
    with pytest.raises(Unauthenticated):
        tokens_of(algorithm="HS256", secret=FORMER).read(issued_by(tokens))


def test_without_a_key_that_can_sign_there_are_no_tokens() -> None:
    retired = key().retired(until=NOW + 60)

    for keys in ([], [key("RS256")], [retired]):
        with pytest.raises(ValueError, match="gatehouse keys new"):
            tokens_of(*keys)


def test_the_end_of_a_key_ends_its_tokens_remembered_or_not() -> None:
    old, new = key(age=90), key(age=60)
    tokens = tokens_of(old, new)
    remembered, fresh = signed(old), signed(old, x="y")
    assert tokens.read(remembered)

    tokens.ring.replace([old.retired(until=NOW), new])
    for token in (remembered, fresh):
        with pytest.raises(TokenExpired):
            tokens.read(token)


def test_a_retired_key_still_verifies_what_it_has_signed() -> None:
    old, new = key(age=90), key(age=60)
    tokens = tokens_of(old, new)
    token = signed(old)
    until = int(time.time()) + 1000
    tokens.ring.replace([old.retired(until=until), new])

    assert tokens.read(token).expires_at <= until


def test_a_key_that_is_gone_verifies_nothing_remembered_or_not() -> None:
    old, new = key(age=90), key(age=60)
    tokens = tokens_of(old, new)
    remembered, kept = signed(old), signed(new)
    claimed = tokens.read(kept)
    assert tokens.read(remembered)

    tokens.ring.replace([new])
    with pytest.raises(Unauthenticated):
        tokens.read(remembered)
    assert tokens.read(kept) is claimed


def test_no_repr_shows_a_secret_or_a_key() -> None:
    signer = key()
    shown = repr(tokens_of(signer, secret=SECRET, fallbacks=(FORMER,)))

    assert SECRET not in shown
    assert FORMER not in shown
    assert str(signer.as_jwk()["d"]) not in shown
