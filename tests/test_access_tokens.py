"""Which access tokens are valid (RFC 7519, RFC 9068)."""

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from jose import jwt

from domain.access_tokens.tokens import MAX_CACHED, AccessTokens, Authentication
from domain.errors import TokenExpired, Unauthenticated
from tests.tokens import CALLER, ISSUER, SECRET, claims, unsigned
from tests.users import IN_A_YEAR

TOKENS = AccessTokens(SECRET, "HS256", timedelta(minutes=30), ISSUER)


def signed(
    claims: dict[str, Any], *, secret: str = SECRET, alg: str = "HS256", **header: Any
) -> str:
    return jwt.encode(claims, secret, algorithm=alg, headers={"typ": "at+jwt", **header})


def test_an_issued_token_is_read_back() -> None:
    token = TOKENS.issue(CALLER, not_after=IN_A_YEAR)

    assert TOKENS.read(token.value).caller == CALLER
    assert token.expires_in == 1800


def test_an_issued_token_has_every_claim_of_rfc_9068_but_a_client() -> None:
    proof = Authentication(("pwd", "otp", "mfa"), at=1_800_000_000)
    token = TOKENS.issue(CALLER, not_after=IN_A_YEAR, authentication=proof).value

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt"}
    issued = jwt.get_unverified_claims(token)
    assert sorted(issued) == [
        *("acr", "amr", "aud", "auth_time", "exp", "iat", "iss", "jti", "sid", "sub")
    ]
    assert (issued["amr"], issued["auth_time"]) == (["pwd", "otp", "mfa"], 1_800_000_000)
    assert issued["acr"] == "urn:gatehouse:acr:2fa"
    assert TOKENS.read(token).authentication == proof
    assert UUID(issued["sub"]) == CALLER.user_id
    assert issued["exp"] - issued["iat"] == 1800


def test_a_token_ends_with_its_session_at_the_latest() -> None:
    token = TOKENS.issue(CALLER, not_after=datetime.now(UTC) + timedelta(minutes=5))

    assert 298 <= token.expires_in <= 300
    assert TOKENS.read(token.value).expires_at <= time.time() + 300


def test_no_two_tokens_are_the_same() -> None:
    assert (
        TOKENS.issue(CALLER, not_after=IN_A_YEAR).value
        != TOKENS.issue(CALLER, not_after=IN_A_YEAR).value
    )


def test_what_the_other_tests_forge_would_be_usable_if_it_were_right() -> None:
    assert TOKENS.read(signed(claims())).caller == CALLER


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "iat", "exp", "jti"])
def test_every_claim_is_required(claim: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(signed(claims(**{claim: None})))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "another"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"sub": "nobody"},
        {"sub": 5},
        {"sid": "none"},
        {"sid": 5},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": [1]},
        {"iat": "yesterday"},
        {"jti": 5},
    ],
)
def test_every_claim_is_looked_at(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(signed(claims(**wrong)))


def test_at_its_expiry_a_token_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed(claims(exp=int(time.time()) + 60))
    expiry = jwt.get_unverified_claims(token)["exp"]

    monkeypatch.setattr(time, "time", lambda: expiry - 0.001)
    assert TOKENS.read(token).caller == CALLER
    monkeypatch.setattr(time, "time", lambda: float(expiry))
    with pytest.raises(TokenExpired):
        TOKENS.read(token)


def test_a_forged_token_is_not_merely_expired() -> None:
    with pytest.raises(Unauthenticated) as refused:
        TOKENS.read(signed(claims(exp=1), secret="another secret, as long as the first one"))

    assert not isinstance(refused.value, TokenExpired)


@pytest.mark.parametrize("typ", ["JWT", "at+JWT ", "", None, 5, ["at+jwt"]])
def test_a_token_of_another_type_is_refused(typ: object) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(signed(claims(), typ=typ))


def test_an_extension_that_must_be_understood_is_not() -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(signed(claims(), crit=["exp"]))


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_the_algorithm_is_ours_to_choose(alg: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(signed(claims(), alg=alg))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\ud800",
        "é.é.é",
        unsigned({"alg": "none", "typ": "at+jwt"}, claims()),
        unsigned({"alg": "NONE", "typ": "at+jwt"}, claims()),
        unsigned({"alg": None, "typ": "at+jwt"}, claims()),
        unsigned({"alg": ["HS256"], "typ": "at+jwt"}, claims()),
        unsigned({"typ": "at+jwt"}, claims()),
        unsigned([], claims()),
        unsigned("at+jwt", claims()),
        unsigned({"alg": "HS256", "typ": "at+jwt"}, claims(), b"x"),
        unsigned({"alg": "HS256", "typ": "at+jwt"}, []),
        signed(claims()) + ".",
        signed(claims()) + "A",
        signed(claims())[:-2],
        signed(claims(padding="x" * 2048)),
        "." * 2000,
        "[" * 2000,
        base64.urlsafe_b64encode(b"[" * 1400).decode() + "..",
    ],
)
def test_whatever_else_it_is_it_is_unusable(token: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(token)


def test_a_token_or_a_secret_shows_in_no_repr() -> None:
    token = TOKENS.issue(CALLER, not_after=IN_A_YEAR)

    assert token.value not in repr(token)
    assert SECRET not in repr(TOKENS)


class TestRemembered:
    """A token that was verified once is cached."""

    @pytest.fixture
    def tokens(self) -> AccessTokens:
        return AccessTokens(SECRET, "HS256", timedelta(minutes=30), ISSUER)

    def test_it_expires_all_the_same(self, tokens: AccessTokens) -> None:
        token = signed(claims(exp=int(time.time()) + 2))
        claimed = tokens.read(token)

        with pytest.raises(TokenExpired):  # noqa: PT012  # raised in a later iteration
            while time.time() < claimed.expires_at + 1:
                assert tokens.read(token) is claimed
        assert claimed.expires_at <= time.time() < claimed.expires_at + 1

    def test_another_secret_issuer_or_byte_is_not_it(self, tokens: AccessTokens) -> None:
        token = signed(claims())
        tokens.read(token)
        others = [
            AccessTokens("another " + SECRET, "HS256", timedelta(minutes=30), ISSUER),
            AccessTokens(SECRET, "HS512", timedelta(minutes=30), ISSUER),
            AccessTokens(SECRET, "HS256", timedelta(minutes=30), "https://evil.example.com"),
        ]
        # Not the last character: base64 ignores some of its bits.
        changed = [
            token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
            for position in range(len(token) - 1)
        ]

        for reader, text in [(other, token) for other in others] + [
            (tokens, one) for one in changed
        ]:
            with pytest.raises(Unauthenticated):
                reader.read(text)

    def test_what_is_refused_displaces_nothing(self, tokens: AccessTokens) -> None:
        token = signed(claims())
        claimed = tokens.read(token)
        for number in range(MAX_CACHED + 1):
            with pytest.raises(Unauthenticated):
                tokens.read(f"{token}.{number}")

        assert tokens.read(token) is claimed

    def test_the_longest_unused_is_forgotten(self, tokens: AccessTokens) -> None:
        issued = [tokens.issue(CALLER, not_after=IN_A_YEAR).value for _ in range(MAX_CACHED + 1)]
        claimed = [tokens.read(token) for token in issued]

        assert all(
            tokens.read(token) is known
            for token, known in zip(issued[1:], claimed[1:], strict=True)
        )
        assert tokens.read(issued[0]) is not claimed[0]
