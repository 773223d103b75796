"""What is sent in place of an answer of a passkey: everything but a right one is refused alike."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import cbor2
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.app import create_app
from db.models import Passkey
from domain.authentication.passkeys.ceremonies import verify_assertion, verify_creation
from domain.authentication.passkeys.members import MAX_ANSWER_LENGTH, credential_id_of
from domain.services import RelyingParty
from tests.authenticator import ORIGIN, RP_ID, Authenticator, Json, decode, encode
from tests.conftest import settings_for
from tests.operations import SIGN_IN_BY_PASSKEY
from tests.passkeys import PASSKEY_SETTINGS, add, finish, start, start_sign_in
from tests.users import GraphQL, register_user

PARTY = RelyingParty(RP_ID, (ORIGIN,))
CHALLENGE, HANDLE = b"c" * 32, b"h" * 32
OPTIONS: Json = {"challenge": encode(CHALLENGE), "user": {"id": encode(HANDLE)}}

AUTHENTICATOR = Authenticator()
CREATED = AUTHENTICATOR.create(OPTIONS)
NEW = verify_creation(PARTY, CHALLENGE, CREATED)
assert NEW
PASSKEY = Passkey(
    credential_id=NEW.id, public_key=NEW.public_key, backup_eligible=NEW.backup_eligible
)
RIGHT = AUTHENTICATOR.get(OPTIONS)

MANY = settings(
    max_examples=150, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def is_accepted(answer: object) -> bool:
    return verify_assertion(PARTY, CHALLENGE, answer, PASSKEY, HANDLE) is not None


def changed(answer: Json, path: tuple[str, ...], value: object) -> Json:
    """Return a copy of an answer with another value in one place, or without any."""
    copy: Json = json.loads(json.dumps(answer))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


MISSING = object()

#: All that is verified of an answer.
REQUIRED = (
    ("id",),
    ("rawId",),
    ("type",),
    ("response",),
    ("response", "clientDataJSON"),
    ("response", "authenticatorData"),
    ("response", "signature"),
    ("response", "userHandle"),
)
BINARY = tuple(path for path in REQUIRED if path[-1] not in ("type", "response"))


def value_at(answer: Json, path: tuple[str, ...]) -> Any:
    for name in path:
        answer = answer[name]
    return answer


def test_the_right_answer_is_accepted() -> None:
    assert is_accepted(RIGHT)
    assert credential_id_of(RIGHT) == AUTHENTICATOR.credential_id


def test_the_passkey_is_the_one_that_the_answer_names() -> None:
    other = encode(b"x" * 32)

    assert not is_accepted({**RIGHT, "id": other, "rawId": other})


def mutations(value: bytes) -> Iterator[bytes]:
    """Yield a value with each of its bits flipped, without each of its bytes, and with one more."""
    for place, byte in enumerate(value):
        for bit in range(8):
            yield value[:place] + bytes([byte ^ 1 << bit]) + value[place + 1 :]
        yield value[:place] + value[place + 1 :]
    yield value + b"\0"


@pytest.mark.parametrize("path", BINARY, ids="-".join)
def test_no_bit_of_an_answer_may_change(path: tuple[str, ...]) -> None:
    tried = [
        changed(RIGHT, path, encode(value)) for value in mutations(decode(value_at(RIGHT, path)))
    ]

    assert len(tried) > 250
    assert [answer for answer in tried if is_accepted(answer)] == []


@pytest.mark.parametrize("path", BINARY, ids="-".join)
def test_each_value_has_one_spelling(path: tuple[str, ...]) -> None:
    """A lenient decoder skips what is not base64url, and ignores the last bits."""
    text = value_at(RIGHT, path)
    other = next(
        last
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if last != text[-1] and (len(text) % 4 == 0 or decode(text[:-1] + last) == decode(text))
    )
    tried = [text + "=", text + "==", text + "\n", " " + text, text[:4] + "!" + text[4:]]

    for spelling in [*tried, text[:-1] + other]:
        assert not is_accepted(changed(RIGHT, path, spelling)), spelling


@given(
    path=st.sampled_from(REQUIRED),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    )
    | st.just(MISSING),
)
@example(path=("type",), value="PUBLIC-KEY")
@example(path=("response",), value=[])
@MANY
def test_another_structure_is_refused(path: tuple[str, ...], value: object) -> None:
    if value != value_at(RIGHT, path):
        assert not is_accepted(changed(RIGHT, path, value))


@pytest.mark.parametrize("path", BINARY, ids="-".join)
def test_a_large_answer_is_not_read(path: tuple[str, ...]) -> None:
    large = changed(RIGHT, path, "A" * MAX_ANSWER_LENGTH)

    assert not is_accepted(large)
    assert len(credential_id_of(large) or b"") <= 1023


CLIENT_DATA = st.dictionaries(
    st.sampled_from(["type", "challenge", "origin", "crossOrigin", "tokenBinding", "x"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["status", "id"]), inner)
        ),
        max_leaves=4,
    ),
)

CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.binary(max_size=40) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-4, 4) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
STATEMENT = st.dictionaries(
    st.sampled_from(["sig", "x5c", "response", "alg", "ver", "certInfo", "pubArea"]), CBOR
)
FORMATS = ["none", "packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "x"]


def attested(key: bytes) -> Json:
    """Return a new passkey with this text as its public key."""

    class Broken(Authenticator):
        def _public_key(self) -> bytes:
            return key

    return Broken().create(OPTIONS)


def is_none_or_new(answer: object) -> bool:
    new = verify_creation(PARTY, CHALLENGE, answer)
    return new is None or len(new.public_key) > 0


@given(client_data=CLIENT_DATA | st.binary(max_size=40))
@MANY
def test_whatever_the_client_data_are_nothing_breaks(client_data: object) -> None:
    data = client_data if isinstance(client_data, bytes) else json.dumps(client_data).encode()
    path = ("response", "clientDataJSON")

    assert not is_accepted(changed(RIGHT, path, encode(data)))
    assert verify_creation(PARTY, CHALLENGE, changed(CREATED, path, encode(data))) is None


@given(format=st.sampled_from(FORMATS), statement=STATEMENT | CBOR)
@MANY
def test_whatever_the_attestation_is_nothing_breaks(format: str, statement: object) -> None:
    path = ("response", "attestationObject")
    attestation = cbor2.loads(decode(value_at(CREATED, path)))
    encoded = cbor2.dumps({**attestation, "fmt": format, "attStmt": statement})

    assert is_none_or_new(changed(CREATED, path, encode(encoded)))


@given(
    key=st.dictionaries(
        st.sampled_from([1, 3, -1, -2, -3]),
        st.sampled_from([1, 2, 3, 7, -7, -8, -257, b"", b"x" * 32]) | CBOR,
    ).map(cbor2.dumps)
    | st.binary(max_size=80)
)
@example(key=b"\x81" * 9000)
@example(key=b"\xa1\x01" * 4500)
@example(key=bytes.fromhex("9b7fffffffffffffff"))
@example(key=bytes.fromhex("c5821a7fffffff01"))
@MANY
def test_whatever_the_public_key_is_nothing_breaks(key: bytes) -> None:
    assert verify_creation(PARTY, CHALLENGE, attested(key)) is None


def test_whatever_byte_of_a_new_passkey_changes_nothing_breaks() -> None:
    for path in (("response", "clientDataJSON"), ("response", "attestationObject")):
        for value in mutations(decode(value_at(CREATED, path))):
            assert is_none_or_new(changed(CREATED, path, encode(value)))


DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]

MALFORMED: list[object] = [
    "text",
    json.dumps(RIGHT),
    0,
    1e300,
    True,
    [],
    [RIGHT],
    {},
    DEEP,
    {"id": DEEP, "response": DEEP},
    {**RIGHT, "response": json.dumps(RIGHT["response"])},
    changed(RIGHT, ("response", "clientDataJSON"), "x" * 500_000),
    changed(RIGHT, ("response", "clientDataJSON"), encode(b"[" * 10_000)),
    changed(RIGHT, ("response", "userHandle"), "\ud800"),
    changed(RIGHT, ("id",), "\x00"),
]


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, **PASSKEY_SETTINGS))
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.any_database
async def test_a_malformed_answer_has_an_invalid_code(
    graphql: GraphQL, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    for credential in MALFORMED:
        ticket, _ = await start_sign_in(graphql)
        answer = {"ticket": ticket, "credential": credential}
        signed_in = await graphql(SIGN_IN_BY_PASSKEY, answer=answer)
        ticket, _ = await start(graphql, ada)
        added = await finish(graphql, ada, ticket, credential)

        assert signed_in.code == added.code == "INVALID_CODE", credential
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.any_database
async def test_null_is_no_answer(graphql: GraphQL) -> None:
    answer = await graphql(SIGN_IN_BY_PASSKEY, answer={"ticket": "x" * 64, "credential": None})

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"


def literal(value: object) -> str:
    """Return a value as a literal of GraphQL."""
    if isinstance(value, dict):
        return "{" + " ".join(f"{name}: {literal(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.any_database
async def test_an_answer_may_be_a_literal_with_variables_in_it(graphql: GraphQL) -> None:
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    authenticator, _ = await add(graphql, ada)
    ticket, options = await start_sign_in(graphql)
    credential = authenticator.get(options)
    signature = credential["response"]["signature"]
    text = literal(credential).replace(json.dumps(signature), "$signature")
    document = f"""mutation ($signature: String!) {{
      signInByPasskey(answer: {{ ticket: "{ticket}", credential: {text} }}) {{ user {{ id }} }}
    }}"""
    answer = await graphql(document, signature=signature)

    assert answer.data == {"signInByPasskey": {"user": {"id": ada.id}}}


@pytest.mark.any_database
async def test_an_answer_is_in_no_log_and_in_no_response(
    client: httpx.AsyncClient, graphql: GraphQL, caplog: pytest.LogCaptureFixture
) -> None:
    ticket, _ = await start_sign_in(graphql)
    answer = {"ticket": ticket, "credential": RIGHT}
    body = {"query": SIGN_IN_BY_PASSKEY, "variables": {"answer": answer}}
    response = await client.post("/graphql", json=body)
    logged = caplog.text + response.text

    assert "INVALID_CODE" in response.text
    for secret in (ticket, RIGHT["id"], RIGHT["response"]["signature"]):
        assert secret not in logged
