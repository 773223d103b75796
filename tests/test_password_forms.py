"""Passwords as keyboards write them (RFC 8265 section 4.2, OpaqueString)."""

import statistics
import time
import unicodedata
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from passlib.hash import argon2
from sqlalchemy.orm import undefer

from db.models import User
from domain import passwords
from domain.passwords.hashing import HashingQueue
from domain.services import Services
from tests.hashing import verify_password
from tests.operations import CHANGE_PASSWORD, DELETE_ME, LOGIN
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = pytest.mark.any_database

NFC = unicodedata.normalize("NFC", "contraseña façade")
NFD = unicodedata.normalize("NFD", NFC)

# The same passwords, as two devices write them.
PAIRS = [
    (NFC, NFD),
    (NFD, NFC),
    ("three blind mice", "three\u00a0blind\u3000mice"),
    ("\u1f82" * 128, unicodedata.normalize("NFD", "\u1f82" * 128)),
    ("\uac01 hangul \uac01", unicodedata.normalize("NFD", "\uac01 hangul \uac01")),
]


async def log_in(graphql: GraphQL, username: str, password: str) -> str | None:
    answer = await graphql(LOGIN, username=username, password=password)
    return None if answer.errors else str(answer.data["login"]["user"]["id"])


@pytest.mark.parametrize(("chosen", "typed"), PAIRS)
async def test_one_password_logs_in_from_every_keyboard(
    graphql: GraphQL, client: httpx.AsyncClient, chosen: str, typed: str
) -> None:
    zoe = await register_user(graphql, "Zoe", "zoe@example.com", chosen)

    assert await log_in(graphql, "Zoe", typed) == zoe.id
    assert await log_in(graphql, "Zoe", chosen) == zoe.id


async def test_a_changed_and_a_confirmed_password_are_normalized_too(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    changed = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=NFD)
    token = changed.data["changePassword"]["accessToken"]
    deleted = await graphql(DELETE_ME, by=token, password=NFC)

    assert deleted.data["deleteMe"] == ada.id


@pytest.mark.parametrize(
    "typed", ["contrasena facade", NFC.upper(), f"{NFC} ", NFC.replace("ñ", "n")]
)
async def test_everything_else_still_counts(graphql: GraphQL, typed: str) -> None:
    await register_user(graphql, "Zoe", "zoe@example.com", NFC)

    assert await log_in(graphql, "Zoe", typed) is None


async def hash_as_earlier_releases_did(
    services: Services, user: RegisteredUser, password: str
) -> None:
    raw = argon2.using(type="ID", memory_cost=8, time_cost=1, parallelism=1).hash(password)  # type: ignore[no-untyped-call]
    async with services.database.writing() as session:
        row = await session.get_one(User, UUID(user.id), options=[undefer(User.password_hash)])
        row.password_hash = raw


async def test_a_password_that_was_hashed_as_typed_still_logs_in_and_is_renewed(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    await hash_as_earlier_releases_did(services, ada, NFD)

    assert await log_in(graphql, "Ada", NFC) is None
    assert await log_in(graphql, "Ada", NFD) == ada.id
    # It is hashed again in its normal form, which every keyboard can write.
    assert await log_in(graphql, "Ada", NFC) == ada.id


@pytest.mark.parametrize(
    ("password", "is_accepted"),
    [
        (unicodedata.normalize("NFD", "é" * 7), False),  # 14 characters as typed
        (unicodedata.normalize("NFD", "éàüñçôîø"), True),
        (unicodedata.normalize("NFD", "é" * 128), True),
        (unicodedata.normalize("NFD", "é" * 129), False),
        ("\u00a0".join(["correct", "horse"]), True),
        ("x" * 1_000_000, False),
        ("é" * 1_000_000, False),
    ],
)
def test_the_policy_applies_to_the_normal_form(password: str, is_accepted: bool) -> None:
    assert (passwords.problems(password) == []) is is_accepted


def test_a_password_is_not_the_name_with_blanks() -> None:
    assert passwords.problems("lovelace", username=" Lovelace ")
    assert passwords.problems("ada@example.com", email="Ada@example.com\n")


@pytest.fixture
def costly() -> Iterator[HashingQueue]:
    hasher = HashingQueue(memory_kib=19456, time_cost=2, parallelism=1, threads=1)
    yield hasher
    hasher.close()


@pytest.mark.parametrize("typed", [NFC, NFD])
async def test_the_time_does_not_tell_whether_there_is_an_account(
    costly: HashingQueue, typed: str
) -> None:
    async with costly.slot() as hasher:
        stored = await hasher.hash("analytical engine")

    async def seconds(stored_hash: str | None) -> float:
        start = time.process_time()
        assert not (await verify_password(costly, typed, stored_hash)).is_valid
        return time.process_time() - start

    rounds = [(await seconds(stored), await seconds(None)) for _ in range(7)]
    known, unknown = (statistics.median(times) for times in zip(*rounds, strict=True))

    assert 0.6 < unknown / known < 1.6
