"""New passwords are looked up in known breaches, and accepted if that is not possible."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from api.telemetry.metrics import Metrics
from domain import passwords
from domain.errors import InvalidInput
from domain.passwords import breaches
from domain.passwords.breaches import BreachedPasswords
from domain.passwords.hashing import SLOTS_PER_THREAD
from domain.services import Services
from settings import Settings
from tests import fault_server as faults
from tests.conftest import settings_for
from tests.fault_server import Fault, FaultServer, Request, Response, serving
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, request_code
from tests.operations import (
    CHANGE_PASSWORD,
    LOGIN,
    REGISTER,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    SET_PASSWORD,
    SIGN_IN_BY_MAIL,
    START_REGISTRATION,
)
from tests.servers import free_port
from tests.users import GraphQL, RegisteredUser

BREACHED, ACCENTED, SAFE = "correct horse battery", "Zürich grüßt alle", "nanoseconds of wire"
NEWCOMER = {"username": "Newcomer", "email": "new@example.com"}
PLAIN = "This password is known from a data breach of another service. Choose another one."


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


@dataclass
class RangeServer(FaultServer):
    """The range API, with two passwords of breaches. ``fault`` replaces its answers."""

    fault: Response | Fault | None = None

    def answer(self, request: Request) -> Response | Fault:
        if self.fault is not None:
            return self.fault
        prefix = request.path.removeprefix("/range/")
        found = [sha1(password) for password in (BREACHED, ACCENTED)]
        lines = [f"{digest[5:]}:42" for digest in found if digest.startswith(prefix)]
        padding = [f"{sha1(SAFE)[5:]}:0", f"{'0' * 35}:0"]
        return Response(200, "\r\n".join([*lines, *padding]).encode())


@pytest.fixture
async def ranges() -> AsyncIterator[RangeServer]:
    async with serving(RangeServer()) as server:
        yield server


@pytest.fixture
def settings(database_url: str, ranges: RangeServer) -> Settings:
    return settings_for(
        database_url,
        breached_passwords_url=f"{ranges.url}/range",
        data_key=DATA_KEY,
        hashing_threads=1,
    )


@pytest.mark.parametrize("document", [REGISTER, START_REGISTRATION])
async def test_a_breached_password_registers_no_one(graphql: GraphQL, document: str) -> None:
    refused = await graphql(document, **NEWCOMER, password=BREACHED)
    accepted = await graphql(document, **NEWCOMER, password=SAFE)

    assert refused.code == "INVALID_INPUT"
    assert refused.fields == {"password": [PLAIN]}
    assert accepted.errors == []


async def test_a_breached_password_replaces_none(graphql: GraphQL, ada: RegisteredUser) -> None:
    refused = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=BREACHED)

    assert refused.code == "INVALID_INPUT"
    assert refused.fields == {"newPassword": [PLAIN]}
    assert (await graphql(LOGIN, username="Ada", password=ada.password)).errors == []


async def test_a_breached_password_is_no_first_one(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    # It removes the password of an email that was not verified.
    ticket, code = await request_code(graphql), await mailed_code(app)
    token = (await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=code)).data["signInByMail"]
    refused = await graphql(SET_PASSWORD, by=token["accessToken"], new=BREACHED)

    assert refused.fields == {"newPassword": [PLAIN]}


async def test_a_breached_password_does_not_use_the_token_of_a_reset(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    token = await mailed_token(app)
    refused = await graphql(RESET_PASSWORD, token=token, new=BREACHED)
    accepted = await graphql(RESET_PASSWORD, token=token, new=SAFE)

    assert refused.fields == {"newPassword": [PLAIN]}
    assert accepted.errors == []


async def test_a_breached_password_still_signs_in(
    graphql: GraphQL, ranges: RangeServer, ada: RegisteredUser
) -> None:
    ranges.fault = Response(200, f"{sha1(ada.password)[5:]}:7".encode())
    asked = len(ranges.requests)

    assert (await graphql(LOGIN, username="Ada", password=ada.password)).errors == []
    assert len(ranges.requests) == asked


async def test_the_service_gets_five_digits_of_a_hash(
    graphql: GraphQL, ranges: RangeServer
) -> None:
    await graphql(REGISTER, **NEWCOMER, password=SAFE)

    [request] = ranges.requests
    assert request.path == f"/range/{sha1(SAFE)[:5]}"
    assert request.headers["add-padding"] == "true"


async def test_a_password_is_looked_up_as_it_is_hashed(graphql: GraphQL) -> None:
    # The accent is a character of its own, and the blanks are wide.
    typed = ACCENTED.replace("ü", "u\u0308").replace(" ", "\u3000")
    answer = await graphql(REGISTER, **NEWCOMER, password=typed)

    assert answer.fields == {"password": [PLAIN]}


async def test_an_invalid_password_is_not_looked_up(graphql: GraphQL, ranges: RangeServer) -> None:
    await graphql(REGISTER, **NEWCOMER, password="short")
    await graphql(REGISTER, **NEWCOMER, password="password1")

    assert ranges.requests == []


async def test_a_digest_in_lower_case_counts(graphql: GraphQL, ranges: RangeServer) -> None:
    ranges.fault = Response(200, f"{sha1(SAFE)[5:]}:1".lower().encode())
    answer = await graphql(REGISTER, **NEWCOMER, password=SAFE)

    assert answer.fields == {"password": [PLAIN]}


FAULTS: dict[str, tuple[Response | Fault, str]] = {
    "hangs": (faults.hang, "no complete answer within 0.3 seconds"),
    "sends a byte now and then": (faults.drip, "no complete answer within 0.3 seconds"),
    "closes": (faults.close, "RemoteProtocolError"),
    "status 500": (Response(500, b"secret"), "answered with status 500"),
    "status 429": (Response(429), "answered with status 429"),
    "a redirect": (faults.redirect("http://169.254.169.254/"), "answered with status 302"),
    "no end": (faults.endless_body, "the body exceeds 1048576 bytes"),
    "too much": (faults.large(2**20 + 1), "the body exceeds 1048576 bytes"),
    "a gzip bomb": (faults.gzip_bomb(5 * 2**20), "the body exceeds 1048576 bytes"),
    "HTML": (Response(200, b"<html>Sign in</html>"), "the answer is not a range of hashes"),
    "another format": (Response(200, sha1(SAFE).encode()), "the answer is not a range of hashes"),
    "no HTTP": (faults.garbage, "RemoteProtocolError"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_users_register_while_the_service_fails(
    graphql: GraphQL,
    ranges: RangeServer,
    services: Services,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    assert services.breached_passwords
    services.breached_passwords._http.timeout = 0.3
    ranges.fault, reason = FAULTS[fault]
    answer = await graphql(REGISTER, **NEWCOMER, password=BREACHED)

    assert answer.errors == []
    [line] = [record.getMessage() for record in caplog.records if record.name == "gatehouse"]
    assert line == f"A password was not looked up in known breaches: {reason}."


async def test_users_register_while_the_service_is_not_there(
    graphql: GraphQL, services: Services, ranges: RangeServer
) -> None:
    assert services.breached_passwords
    services.breached_passwords._url = f"http://127.0.0.1:{free_port()}/range"

    assert (await graphql(REGISTER, **NEWCOMER, password=BREACHED)).errors == []
    assert ranges.requests == []


def test_a_look_up_takes_at_most_a_second() -> None:
    assert breaches.TIMEOUT == 1.0


async def test_nothing_is_held_during_a_look_up(
    graphql: GraphQL, ranges: RangeServer, ada: RegisteredUser
) -> None:
    all_are_there, before, number = asyncio.Event(), len(ranges.requests), SLOTS_PER_THREAD + 1

    async def hang(writer: asyncio.StreamWriter) -> None:
        if len(ranges.requests) - before == number:
            all_are_there.set()
        await asyncio.Event().wait()

    ranges.fault = hang
    registering = [
        asyncio.create_task(
            graphql(REGISTER, username=f"User{n}", email=f"{n}@example.com", password=SAFE)
        )
        for n in range(number)
    ]
    await all_are_there.wait()
    login = await graphql(LOGIN, username="Ada", password=ada.password)

    assert login.errors == []
    assert [answer.errors for answer in await asyncio.gather(*registering)] == [[]] * number


@pytest.mark.any_database
async def test_no_log_has_anything_of_a_password(
    graphql: GraphQL, caplog: pytest.LogCaptureFixture, ranges: RangeServer
) -> None:
    with caplog.at_level(logging.DEBUG):
        await graphql(REGISTER, **NEWCOMER, password=BREACHED)
        ranges.fault = Response(500)
        await graphql(REGISTER, **NEWCOMER, password=BREACHED)

    assert "not looked up" in caplog.text
    for secret in (BREACHED, sha1(BREACHED)[:5], sha1(BREACHED)[5:]):
        assert secret.lower() not in caplog.text.lower()


@pytest.mark.any_database
async def test_look_ups_are_counted(ranges: RangeServer) -> None:
    metrics = Metrics()
    breached = BreachedPasswords(f"{ranges.url}/range", metrics)
    with pytest.raises(InvalidInput):
        await passwords.require_unbreached(breached, BREACHED)
    await passwords.require_unbreached(breached, SAFE)
    ranges.fault = Response(500)
    await passwords.require_unbreached(breached, BREACHED)
    await breached.close()

    outcomes = ("FOUND", "NOT_FOUND", "FAILED")
    value = metrics.registry.get_sample_value
    name = "gatehouse_breach_lookups_total"
    assert [value(name, {"outcome": outcome}) for outcome in outcomes] == [1, 1, 1]


@pytest.mark.any_database
async def test_nothing_is_looked_up_by_default(database_url: str) -> None:
    assert settings_for(database_url).breached_passwords_url is None
