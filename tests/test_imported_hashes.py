"""Password hashes of other systems: they sign in once, and are replaced by Argon2id.

The hashes were made by Django 5.2, Werkzeug 3.1, passlib 1.7 and argon2-cffi with low costs, and
that of Firebase is the example in the documentation of its scrypt.
"""

import base64
import hashlib
from contextlib import suppress

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from db.models import User
from domain import accounts
from domain.accounts import ForeignUser, ImportOutcome
from domain.passwords import imported, stored_costs
from domain.passwords.formats import (
    INVALID_FIREBASE,
    TOO_COSTLY,
    UNKNOWN,
    FirebaseConfig,
    InvalidHash,
    stored_form,
)
from domain.passwords.hashing import HashingQueue
from domain.services import Services
from tests.hashing import verify_password
from tests.operations import LOGIN, REAUTHENTICATE
from tests.users import THIS_DEVICE, GraphQL, RegisteredUser

PASSWORD = "analytical engine"

HASHES = {
    "Django's PBKDF2 with SHA-256": "pbkdf2_sha256$1000$ZbrChXdyoZxPWUx6pq9921$t7NnlpvPZ5t2kBbN8qJqnhoIX3eE2Toi2SW4OF2O6pI=",
    "Django's PBKDF2 with SHA-1": "pbkdf2_sha1$1000$4mDdeejgYGRceb0GifQLU9$3j/7mWIvLdEAh24TOFxAgGIafY8=",
    "Django's Argon2": "argon2$argon2id$v=19$m=64,t=1,p=2$SEtaWGdJNm00S1ZPNUNXTHFHd2JURA$Oh/jpkGl9keI+wAZabgviog3MyxKN097nnkBjjQJhUU",
    "Django's bcrypt with SHA-256": "bcrypt_sha256$$2b$04$URy8M5XUCaxwA5cct8G6He78jZfu0Km8dOkdM8Q3FFOCJmBLjDXTC",
    "Django's bcrypt": "bcrypt$$2b$04$j3xjcRPzyLyjVTQYYcapZuK1aidfUuTcPS.SOgqw.I4kaCgb.EYYS",
    "Django's scrypt": "scrypt$16$7YkzLDRLZ1pziddunVoniM$8$5$In/qI94wwQ9l+w+za52CddFkSCkNfj2mPr5vQzPIl7nZX7lA8AC1N0OeL4t/RkylD4hPvBBiRG+5j/d3LmegNA==",
    "Werkzeug's scrypt": "scrypt:1024:8:1$RZQoEiLMdhLGfBz3$41845d91ab1067f60d7f340c6d38007b464543ad8f413c8deb9140fcf162a4f1d9ea5e4764be961f944d7ff1640713032b1b4e72f662b9bd6d757bab006b61a9",
    "Werkzeug's PBKDF2": "pbkdf2:sha256:1000$eE7X9ekKw4BoGYNR$2d9ee3f769eab116b9af72160680818fbb6b37ef174ce2969caf92940bfbcd63",
    "passlib's PBKDF2 with SHA-256": "$pbkdf2-sha256$1000$LyWkVGoNoRSitNYaI2RMyQ$0w0C8IHw5WXkqEjZSi.Ltye3WnI5GKYlcNfAmeRbC7w",
    "passlib's PBKDF2 with SHA-512": "$pbkdf2-sha512$1000$fg/BGKP0fo.xlnLOOad0bg$HQ3nUs2PxKktZ.WfHT7eqyRbQLIRO2OPe8sTBKdlHaZouWOXTLOMzFxqQJuV8nKUYlrcrJzkTvUgX4dYMD9bXA",
    "passlib's PBKDF2 with SHA-1": "$pbkdf2$1000$6r1XKqW0Nuacc06ptRZibA$zmicJGg29xeNxbBvXQ8zB5hrtBI",
    "passlib's scrypt": "$scrypt$ln=4,r=8,p=1$B4DwPkcIYew9Z6zVurdWig$GFNdAlS2nvT2AMWtlwppOUw00RyCzHeA1PmJ6sPoHgQ",
    "Argon2i": "$argon2i$v=19$m=64,t=1,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$pZmLx6+adHwR8/1xSQFUsMG4Tpgw6hXQwPInAmsMsV0",
    "bcrypt 2a": "$2a$04$1I1Q9rK2OuoXK3uOQ9hJnusw4GNswx6dvB2Pmt1oIYQ3gYcmLcBMq",
    "bcrypt 2y, of PHP": "$2y$04$1I1Q9rK2OuoXK3uOQ9hJnusw4GNswx6dvB2Pmt1oIYQ3gYcmLcBMq",
}

FIREBASE = FirebaseConfig(
    signer_key=base64.b64decode(
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    ),
    salt_separator=base64.b64decode("Bw=="),
    rounds=8,
    memory_cost=14,
)
FIREBASE_PASSWORD, FIREBASE_SALT = "user1password", "42xEC+ixf3L2lw=="
FIREBASE_HASH = (
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)


def user(password_hash: str, salt: str | None = None) -> ForeignUser:
    return ForeignUser(2, "Ada", "ada@example.com", password_hash=password_hash, password_salt=salt)


async def import_ada(
    services: Services, password_hash: str, salt: str | None = None
) -> ImportOutcome:
    return await accounts.import_users(
        services, THIS_DEVICE, [user(password_hash, salt)], firebase=FIREBASE
    )


async def stored(services: Services) -> str:
    async with services.database.reading() as session:
        return str(await session.scalar(select(User.password_hash)))


async def log_in(graphql: GraphQL, password: str) -> str | None:
    """Return the code of the error, if there is one."""
    answer = await graphql(LOGIN, username="Ada", password=password)
    return answer.code if answer.errors else None


@pytest.mark.parametrize("kind", HASHES)
async def test_each_kind_signs_in_once_and_is_then_argon2id(
    graphql: GraphQL, services: Services, kind: str
) -> None:
    outcome = await import_ada(services, HASHES[kind])
    imported = await stored(services)

    assert outcome.created == 1
    assert await log_in(graphql, "difference engine") == "INVALID_CREDENTIALS"
    assert await stored(services) == imported
    assert await log_in(graphql, PASSWORD) is None
    assert (await stored(services)).startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await log_in(graphql, "difference engine") == "INVALID_CREDENTIALS"
    assert await log_in(graphql, PASSWORD) is None


async def test_one_of_firebase_does_too_and_its_key_is_not_stored(
    graphql: GraphQL, services: Services
) -> None:
    assert (await import_ada(services, FIREBASE_HASH, FIREBASE_SALT)).created == 1

    imported = await stored(services)
    assert imported.startswith("$firebase-scrypt$ln=14,r=8,p=1$")
    assert base64.b64encode(FIREBASE.signer_key[:24]).decode() not in imported
    assert await log_in(graphql, "user2password") == "INVALID_CREDENTIALS"
    assert await log_in(graphql, FIREBASE_PASSWORD) is None
    assert (await stored(services)).startswith("$argon2id$")
    assert await log_in(graphql, FIREBASE_PASSWORD) is None


async def test_the_token_endpoint_renews_it_too(graphql: GraphQL, services: Services) -> None:
    await import_ada(services, HASHES["Django's bcrypt"])
    form = {"grant_type": "password", "username": "Ada", "password": PASSWORD}
    response = await graphql.client.post("/token", data=form)

    assert response.status_code == 200
    assert (await stored(services)).startswith("$argon2id$")


async def test_so_does_a_password_that_is_given_again(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    async with services.database.writing() as session:
        await session.execute(
            update(User).values(password_hash=stored_form(HASHES["Django's bcrypt"]))
        )
    answer = await graphql(REAUTHENTICATE, by=ada, input={"password": PASSWORD})

    assert answer.errors == []
    assert (await stored(services)).startswith("$argon2id$")


@pytest.mark.any_database
async def test_bcrypt_reads_72_bytes_of_a_longer_password(
    graphql: GraphQL, services: Services
) -> None:
    """Other systems store only what those 72 bytes give."""
    made = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    await import_ada(services, made)

    assert await log_in(graphql, "x" * 71) == "INVALID_CREDENTIALS"
    assert await log_in(graphql, "x" * 90) is None
    assert await log_in(graphql, "x" * 72) == "INVALID_CREDENTIALS"


@pytest.mark.any_database
async def test_bits_after_the_salt_and_the_digest_of_bcrypt_say_nothing(
    graphql: GraphQL, services: Services
) -> None:
    made = HASHES["bcrypt 2a"]
    assert (made[28], made[59]) == ("u", "q")
    await import_ada(services, f"{made[:28]}v{made[29:59]}r")

    assert await log_in(graphql, PASSWORD) is None


@pytest.mark.parametrize("password", ["contraseña façade", "pass\N{SNOWMAN}word"])
async def test_a_password_beyond_ascii_is_hashed_in_utf8(password: str) -> None:
    queue = HashingQueue(memory_kib=8, time_cost=1, parallelism=1, threads=1)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 10)
    made = f"pbkdf2_sha256$10$salt${base64.b64encode(digest).decode()}"

    assert (await verify_password(queue, password, stored_form(made))).is_valid
    queue.close()


TOO_COSTLY_HASHES = [
    "$2b$15$" + "a" * 53,
    f"pbkdf2_sha256$2000001$salt${'A' * 43}=",
    f"$scrypt$ln=18,r=8,p=1$salt${'A' * 43}",
    f"$scrypt$ln=40,r=8,p=1$salt${'A' * 43}",
    f"scrypt$131072$salt$8$3${'A' * 43}=",
    f"$argon2id$v=19$m=131073,t=1,p=1${'A' * 22}${'A' * 43}",
    f"$argon2id$v=19$m=65536,t=17,p=1${'A' * 22}${'A' * 43}",
    f"$argon2id$v=19$m=65536,t=1,p=17${'A' * 22}${'A' * 43}",
]
UNKNOWN_HASHES = [
    # OpenSSL computes none of these.
    "$scrypt$ln=16,r=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "analytical engine",
    "$2x$04$" + "a" * 53,
    "$2b$03$" + "a" * 53,
    "$2b$04$" + "a" * 52,
    "$2b$04$" + "a" * 53 + "\n",
    "$2b$\N{ARABIC-INDIC DIGIT ONE}0$" + "a" * 53,
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    "$6$salt$" + "a" * 86,
    f"pbkdf2_sha256$0$salt${'A' * 43}=",
    f"pbkdf2_sha256$1000$salt${'A' * 86}==",  # two blocks of SHA-256 would take twice the rounds
    f"pbkdf2_sha256$1000$salt${'A' * 42}",
    f"scrypt$1000$salt$8$1${'A' * 43}=",  # N must be a power of two
    f"scrypt$1$salt$8$1${'A' * 43}=",
    f"$scrypt$ln=4,r=8,p=1$salt${'A' * 6}",
    f"scrypt:16:8:1$salt${'0' * 33}",
    f"$argon2id$v=19$m=8,t=1,p=2${'A' * 22}${'A' * 43}",
    f"$argon2id$v=16$m=8,t=1,p=1${'A' * 22}${'A' * 43}",
    f"$argon2id$v=19$m=8,t=1,p=1,data=AAAA${'A' * 22}${'A' * 43}",
    "x" * 1_000_000,
    "pbkdf2_sha256$" * 10_000,
    "\0",
    "\ud800",
]


@pytest.mark.parametrize(
    ("text", "reason"),
    [(text, TOO_COSTLY) for text in TOO_COSTLY_HASHES]
    + [(text, UNKNOWN) for text in UNKNOWN_HASHES],
    ids=lambda text: ascii(text[:40]),
)
def test_what_cannot_be_verified_or_costs_too_much_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidHash) as refused:
        stored_form(text)

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("text", "salt"),
    [(FIREBASE_HASH[:-4], FIREBASE_SALT), ("!", FIREBASE_SALT), (FIREBASE_HASH, "!"), ("", "")],
)
def test_so_is_what_is_not_of_firebase(text: str, salt: str) -> None:
    with pytest.raises(InvalidHash) as refused:
        FIREBASE.stored_form(text, salt)

    assert str(refused.value) == INVALID_FIREBASE


@given(st.text("$argon2idbcryptpbkdf2_sha256v=19mtp,:!./+0", max_size=120))
def test_no_text_is_an_exception_of_another_kind(text: str) -> None:
    with suppress(InvalidHash):
        assert imported.is_imported(stored_form(text))


def test_the_longest_hash_fits_its_column() -> None:
    longest = f"scrypt$16$\N{SNOWMAN}{'s' * 61}$255$1${'A' * 86}=="

    assert len(stored_form(longest)) <= 255


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the imported hashes that are verified."""
    verified: list[str] = []
    verify = imported.verify

    def recording(password: str, stored_hash: str) -> bool:
        verified.append(stored_hash)
        return verify(password, stored_hash)

    monkeypatch.setattr(imported, "verify", recording)
    return verified


@pytest.mark.parametrize("kind", HASHES)
async def test_an_unknown_user_costs_what_an_imported_one_does(
    verified: list[str], kind: str
) -> None:
    queue = HashingQueue(memory_kib=8, time_cost=1, parallelism=1, threads=1)
    text = stored_form(HASHES[kind])
    [parameters] = stored_costs._parameters([text])
    queue.learn([parameters])
    await verify_password(queue, "wrong engine", text)
    await verify_password(queue, "wrong engine", None)
    queue.close()

    if not text.startswith("$argon2"):
        of_known, of_unknown = verified
        assert of_known == text != of_unknown
        assert of_unknown.startswith(parameters)
