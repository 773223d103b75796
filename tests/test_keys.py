"""When a key signs and verifies, and which keys are invalid."""

import base64
import hashlib
import json
from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from domain.access_tokens import jwk
from domain.access_tokens.jwk import UnusableKey
from domain.access_tokens.keys import MAX_AGE, PUBLISHED_AHEAD_MINIMUM, CannotRetire, Key, KeyRing

NOW = 1_800_000_000
LIFETIME = timedelta(minutes=30)
MINUTE, HOUR = 60, 3600


def ring_of(*ages: int, algorithm: str = "ES256") -> KeyRing:
    """Return a ring of keys that started to sign this many seconds ago."""
    return KeyRing(Key.generate(algorithm, made_at=NOW - age, signs_from=NOW - age) for age in ages)


def retire(ring: KeyRing, key: Key, *, now: float = NOW, compromised: bool = False) -> KeyRing:
    retired = ring.retire(key.kid, "ES256", now=now, lifetime=LIFETIME, compromised=compromised)
    return KeyRing([retired if one.kid == key.kid else one for one in ring.all()])


def test_the_first_key_signs_at_once() -> None:
    key = KeyRing().new("ES256", now=NOW)

    assert key.signs_from == NOW
    assert KeyRing([key]).signing("ES256", NOW) is key


@pytest.mark.parametrize(("soon", "seconds"), [(False, 600), (True, 10)])
def test_the_next_one_is_published_before_it_signs(soon: bool, seconds: int) -> None:
    [old] = ring_of(HOUR).all()
    new = KeyRing([old]).new("ES256", now=NOW, soon=soon)
    ring = KeyRing([new, old])

    assert ring.published(NOW) == [old, new]
    assert ring.signing("ES256", NOW + seconds - 1) is old
    assert ring.signing("ES256", NOW + seconds) is new


def test_a_key_of_another_algorithm_signs_nothing() -> None:
    ring = KeyRing([*ring_of(2 * HOUR).all(), *ring_of(HOUR, algorithm="RS256").all()])

    assert [ring.signing(alg, NOW) for alg in ("ES256", "RS256", "HS256")] == [*ring.all(), None]


def test_a_clock_that_is_behind_keeps_nobody_from_signing() -> None:
    ring = ring_of(0)

    assert ring.signing("ES256", NOW - MINUTE) is ring.all()[0]


def test_a_retired_key_verifies_until_its_last_token_has_ended() -> None:
    old, new = ring_of(2 * HOUR, HOUR).all()
    ring = retire(KeyRing([old, new]), old)
    last = NOW + 30 * MINUTE

    retired = ring.find(old.kid)
    assert retired is not None
    assert retired.private is None
    assert [key.kid for key in ring.published(last)] == [old.kid, new.kid]
    assert ring.published(last + MINUTE) == [new]


def test_a_compromised_key_ends_at_once_retired_or_not() -> None:
    old, new = ring_of(2 * HOUR, HOUR).all()
    retired = retire(KeyRing([old, new]), old)

    assert retire(KeyRing([old, new]), old, compromised=True).published(NOW) == [new]
    assert retire(retired, old, compromised=True).published(NOW) == [new]


def test_the_last_key_that_can_sign_is_not_retired() -> None:
    ring = ring_of(HOUR)
    [only] = ring.all()
    pending = ring.new("ES256", now=NOW)

    for compromised in (False, True):
        with pytest.raises(CannotRetire, match="keys new"):
            retire(ring, only, compromised=compromised)
    with pytest.raises(CannotRetire, match="may sign yet"):
        retire(KeyRing([only, pending]), only)
    left = retire(KeyRing([only, pending]), only, compromised=True)
    assert left.signing("ES256", NOW) is pending


def test_a_key_that_no_process_may_have_read_signs_for_none_that_has_to() -> None:
    first = ring_of(HOUR)
    pending = first.new("ES256", now=NOW)
    ring = retire(KeyRing([*first.all(), pending]), first.all()[0], compromised=True)
    another = ring.new("ES256", now=NOW + 1, soon=True)

    after = KeyRing([*ring.all(), another])
    assert after.signing("ES256", NOW + 1) is pending
    assert after.signing("ES256", NOW + 11) is another


def test_where_a_secret_signs_any_key_may_be_retired() -> None:
    [key] = ring_of(HOUR).all()
    retired = KeyRing([key]).retire(key.kid, "HS256", now=NOW, lifetime=LIFETIME, compromised=False)

    assert retired.private is None


def test_no_key_is_retired_twice_and_none_that_is_not_there() -> None:
    old, new = ring_of(2 * HOUR, HOUR).all()
    ring = retire(KeyRing([old, new]), old)

    with pytest.raises(CannotRetire, match="already"):
        retire(ring, old)
    with pytest.raises(CannotRetire, match="no key with this id"):
        retire(KeyRing([new]), old)


# Commands of an operator: the command, the seconds before it, and the number of the key to retire.
operations = st.lists(
    st.tuples(
        st.sampled_from(["new", "new --now", "retire"]),
        st.floats(0.5, 2 * HOUR),
        st.integers(0, 9),
    ),
    max_size=12,
)
# How long ago a process reloaded the keys, and the error of its clock, in seconds.
workers = st.tuples(st.floats(0, 1.5), st.floats(-5, 5))


class History:
    """The keys in the folder after each command."""

    def __init__(self, operations: list[tuple[str, float, int]], *, with_now: bool = True) -> None:
        self.moments: list[tuple[float, KeyRing]] = [
            (NOW, KeyRing([KeyRing().new("ES256", now=NOW)]))
        ]
        for operation, pause, number in operations:
            now, ring = self.moments[-1][0] + pause, self.moments[-1][1]
            if operation == "retire":
                with suppress(CannotRetire):
                    ring = retire(ring, ring.all()[number % len(ring.all())], now=now)
            else:
                soon = with_now and operation == "new --now"
                ring = KeyRing([*ring.all(), ring.new("ES256", now=now, soon=soon)])
            self.moments.append((now, ring))

    def at(self, moment: float) -> KeyRing:
        return [ring for since, ring in self.moments if since <= moment or since == NOW][-1]

    def moments_around_changes(self) -> list[float]:
        changes = [since for since, _ in self.moments]
        starts = [key.signs_from for key in self.moments[-1][1].all()]
        return [
            moment + offset
            for moment in [*changes, *starts]
            for offset in (0.0, 1.0, 7.0, PUBLISHED_AHEAD_MINIMUM.total_seconds(), 600.0, 1800.0)
        ]


@example([("new", 1.0, 0), ("retire", 700.0, 1)], (1.0, 5.0), (0.0, 0.0))
@given(operations, workers, workers)
def test_a_token_of_any_process_is_good_at_every_other_for_all_its_life(
    done: list[tuple[str, float, int]], signer: tuple[float, float], reader: tuple[float, float]
) -> None:
    history = History(done)
    for moment in history.moments_around_changes():
        clock = moment + signer[1]
        key = history.at(moment - signer[0]).signing("ES256", clock)
        assert key
        expires_at = clock + LIFETIME.total_seconds()
        # From when it is issued until it expires by the reader's clock.
        for later in (moment, moment + 1, moment + 60, expires_at - 1 - reader[1]):
            found = history.at(later - reader[0]).find(key.kid)
            assert found
            assert not found.has_ended(min(later + reader[1], expires_at - 1))


@given(operations, workers, st.floats(0, MAX_AGE.total_seconds()))
def test_whoever_fetched_the_keys_in_the_last_five_minutes_knows_the_one_that_signs(
    done: list[tuple[str, float, int]], signer: tuple[float, float], fetched_ago: float
) -> None:
    history = History(done, with_now=False)
    for moment in history.moments_around_changes():
        signing = history.at(moment - signer[0]).signing("ES256", moment + signer[1])
        fetched_at = moment - fetched_ago
        published = history.at(fetched_at - 1.5).published(fetched_at)

        assert signing
        assert signing.kid in [key.kid for key in published]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_key_is_read_back_from_its_jwk(algorithm: str) -> None:
    key = Key.generate(algorithm, made_at=NOW, signs_from=NOW + 1)
    read = Key.of_jwk(json.loads(json.dumps(key.as_jwk())))
    retired = Key.of_jwk(key.retired(until=NOW + 2).as_jwk())

    assert read.as_jwk() == key.as_jwk()
    assert (read.made_at, read.signs_from, read.verifies_until) == (NOW, NOW + 1, None)
    assert (retired.public, retired.private, retired.verifies_until) == (key.public, None, NOW + 2)


def test_the_kid_is_the_thumbprint_of_rfc_7638() -> None:
    # The example of section 3.1.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q"
        "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap"
        "JzKnqDKgw"
    )
    public, _ = jwk.read({"kty": "RSA", "n": n, "e": "AQAB"}, "RS256")

    assert jwk.thumbprint(public) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_key_shows_only_its_public_key() -> None:
    key = Key.generate("RS256", made_at=NOW, signs_from=NOW)
    private = set(key.as_jwk()) - set(key.as_public_jwk())

    assert private == {"d", "p", "q", "dp", "dq", "qi", "iat", "nbf"}
    assert not any(str(key.as_jwk()[name]) in repr(key) for name in ("d", "p", "q"))
    assert set(key.retired(until=NOW).as_jwk()) == {*key.as_public_jwk(), "iat", "nbf", "exp"}


EC_KEY = Key.generate("ES256", made_at=NOW, signs_from=NOW).as_jwk()
ANOTHER = Key.generate("ES256", made_at=NOW, signs_from=NOW).as_jwk()
RSA_KEY = Key.generate("RS256", made_at=NOW, signs_from=NOW).as_jwk()


def weak_rsa(bits: int, exponent: int) -> dict[str, object]:
    private = rsa.generate_private_key(exponent, bits)
    members = jwk.public_members(private.public_key()) | jwk.private_members(private)
    kid = jwk.thumbprint(private.public_key())
    return {**members, "alg": "RS256", "use": "sig", "kid": kid, "iat": NOW, "nbf": NOW}


def on_another_curve() -> dict[str, object]:
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(48, "big")).decode().rstrip("=")
        for number in (numbers.x, numbers.y)
    )
    members = {"crv": "P-384", "kty": "EC", "x": x, "y": y}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    kid = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return {**members, "alg": "ES256", "use": "sig", "kid": kid, "iat": NOW, "nbf": NOW}


@pytest.mark.parametrize(
    "members",
    [
        None,
        [EC_KEY],
        {},
        {"keys": [EC_KEY]},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "x", "iat": 1, "nbf": 1},
        {**EC_KEY, "alg": "RS256"},
        {**RSA_KEY, "alg": "ES256"},
        {**EC_KEY, "alg": "ES384"},
        {**EC_KEY, "alg": "none"},
        {**EC_KEY, "alg": ["ES256"]},
        {**EC_KEY, "crv": "P-384"},
        {**EC_KEY, "kid": "../../keys"},
        {**EC_KEY, "kid": ANOTHER["kid"]},
        {**EC_KEY, "d": ANOTHER["d"]},
        {**EC_KEY, "x": ANOTHER["x"]},
        {**EC_KEY, "x": 5},
        {**EC_KEY, "x": "\u00e9"},
        {**EC_KEY, "d": ""},
        {**EC_KEY, "iat": "yesterday"},
        {**EC_KEY, "nbf": True},
        {**EC_KEY, "exp": None},
        {name: value for name, value in EC_KEY.items() if name != "iat"},
        {name: value for name, value in RSA_KEY.items() if name != "p"},
        {**RSA_KEY, "p": RSA_KEY["q"]},
        weak_rsa(1024, 65537),
        weak_rsa(2048, 3),
        on_another_curve(),
    ],
)
def test_what_is_no_key_of_ours_is_refused(members: object) -> None:
    with pytest.raises(UnusableKey):
        Key.of_jwk(members)
