"""A captcha is required before a registration, and before a mail that anyone can ask for."""

import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from api.app import create_app
from api.telemetry.metrics import Metrics
from domain import captcha
from domain.captcha import CaptchaVerifier
from domain.errors import CaptchaRequired, CaptchaUnavailable
from domain.services import Services
from settings import Settings
from tests import fault_server as faults
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.databases import copy_of
from tests.fault_server import Fault, FaultServer, Request, Response, json_response, serving
from tests.mail_proofs import DATA_KEY
from tests.operations import (
    LOGIN,
    REGISTER,
    REQUEST_EMAIL_VERIFICATION,
    REQUEST_PASSWORD_RESET,
    REQUEST_SIGN_IN,
    START_REGISTRATION,
)
from tests.outboxes import rows
from tests.servers import free_port, running_server
from tests.users import GraphQL
from tests.websockets import execute, initialize, open_socket

SECRET = "secret-of-this-server"
NEWCOMER = {"username": "Newcomer", "email": "new@example.com", "password": "analytical engine"}
REGISTER_NEWCOMER = """
mutation {
  register(input: { username: "Newcomer", email: "new@example.com", password: "analytical engine" }) {
    accessToken
  }
}
"""
MESSAGE = "Solve the captcha, and send its token in the header X-Captcha-Token. It works once."

#: The mutations that need a captcha, with valid variables.
GUARDED: dict[str, tuple[str, dict[str, Any]]] = {
    "register": (REGISTER, NEWCOMER),
    "startRegistration": (START_REGISTRATION, NEWCOMER),
    "requestPasswordReset": (REQUEST_PASSWORD_RESET, {"email": "new@example.com"}),
    "requestSignIn": (REQUEST_SIGN_IN, {"email": "new@example.com"}),
}


@dataclass
class CaptchaServer(FaultServer):
    """A service of captchas, whose tokens work once. ``fault`` replaces its answers."""

    good: set[str] = field(default_factory=lambda: {"good", "better"})
    fault: Response | Fault | None = None

    def answer(self, request: Request) -> Response | Fault:
        if self.fault is not None:
            return self.fault
        if request.form["secret"] != SECRET:
            return refused("invalid-input-secret")
        if request.form["response"] not in self.good:
            return refused("timeout-or-duplicate")
        self.good.remove(request.form["response"])
        return json_response({"success": True, "hostname": "app.example.com", "error-codes": []})


def refused(*codes: object, status: int = 200) -> Response:
    return json_response({"success": False, "error-codes": list(codes)}, status)


@pytest.fixture
async def captchas() -> AsyncIterator[CaptchaServer]:
    async with serving(CaptchaServer()) as server:
        yield server


@pytest.fixture
def settings(database_url: str, captchas: CaptchaServer) -> Settings:
    return settings_for(
        database_url,
        captcha_verify_url=f"{captchas.url}/siteverify",
        captcha_secret=SECRET,
        data_key=DATA_KEY,
        cors_origins="https://app.example.com",
    )


@pytest.fixture
def graphql(client: httpx.AsyncClient) -> GraphQL:
    """Send the token `good` with every request, unless a test changes it."""
    client.headers["X-Captcha-Token"] = "good"
    return GraphQL(client)


@pytest.mark.parametrize("name", GUARDED)
async def test_a_solved_captcha_lets_a_request_through_once(graphql: GraphQL, name: str) -> None:
    document, variables = GUARDED[name]
    first = await graphql(document, **variables)
    second = await graphql(document, **variables)

    assert first.errors == []
    assert second.code == "CAPTCHA_REQUIRED"
    assert second.error["message"] == MESSAGE


@pytest.mark.parametrize("token", [None, "", "wrong", "g" * 9000])
@pytest.mark.parametrize("name", GUARDED)
async def test_without_a_solved_captcha_nothing_happens(
    services: Services, graphql: GraphQL, name: str, token: str | None
) -> None:
    del graphql.client.headers["X-Captcha-Token"]
    if token is not None:
        graphql.client.headers["X-Captcha-Token"] = token
    document, variables = GUARDED[name]
    answer = await graphql(document, **variables)

    assert answer.code == "CAPTCHA_REQUIRED"
    assert await rows(services.database) == []


async def test_the_service_gets_the_secret_the_token_and_the_address(
    app: FastAPI, captchas: CaptchaServer
) -> None:
    async with client_of(app, ip="2001:db8::17") as client:
        client.headers["X-Captcha-Token"] = "good"
        await GraphQL(client)(REGISTER, **NEWCOMER)

    [request] = captchas.requests
    assert (request.method, request.path) == ("POST", "/siteverify")
    assert request.form == {"secret": SECRET, "response": "good", "remoteip": "2001:db8::17"}


@pytest.mark.parametrize("field_at_fault", ["username", "email", "password"])
async def test_invalid_input_does_not_use_the_token(
    graphql: GraphQL, captchas: CaptchaServer, field_at_fault: str
) -> None:
    answer = await graphql(REGISTER, **{**NEWCOMER, field_at_fault: "x"})

    assert answer.code == "INVALID_INPUT"
    assert captchas.requests == []


async def test_what_needs_a_user_or_a_password_needs_no_captcha(
    graphql: GraphQL, captchas: CaptchaServer
) -> None:
    token = (await graphql(REGISTER, **NEWCOMER)).data["register"]["accessToken"]
    del graphql.client.headers["X-Captcha-Token"]
    login = await graphql(LOGIN, username="Newcomer", password=NEWCOMER["password"])
    mail = await graphql(REQUEST_EMAIL_VERIFICATION, by=token)

    assert login.errors == mail.errors == []
    assert len(captchas.requests) == 1


async def test_one_token_is_not_good_for_two_mutations_of_a_document(graphql: GraphQL) -> None:
    answer = await graphql(
        'mutation { a: requestSignIn(email: "a@example.com") { ticket }'
        ' b: requestSignIn(email: "b@example.com") { ticket } }'
    )

    assert answer.code == "CAPTCHA_REQUIRED"
    assert answer.error["path"] == ["b"]


async def test_verifications_count_as_attempts_of_the_network(
    database_url: str, captchas: CaptchaServer
) -> None:
    settings = settings_for(
        database_url,
        captcha_verify_url=f"{captchas.url}/siteverify",
        captcha_secret=SECRET,
        login_limit_per_network="2/minute",
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        client.headers["X-Captcha-Token"] = "wrong"
        codes = [(await GraphQL(client)(REGISTER, **NEWCOMER)).code for _ in range(3)]

    assert codes == ["CAPTCHA_REQUIRED", "CAPTCHA_REQUIRED", "TOO_MANY_ATTEMPTS"]
    assert len(captchas.requests) == 2


AWAY: dict[str, tuple[Response | Fault, str]] = {
    "hangs": (faults.hang, "no complete answer within 0.3 seconds"),
    "sends a byte now and then": (faults.drip, "no complete answer within 0.3 seconds"),
    "closes": (faults.close, "RemoteProtocolError"),
    "too much": (faults.large(2**20 + 1), "the body exceeds 1048576 bytes"),
    "status 500": (refused(status=500), "answered with status 500, and without a verdict"),
    "status 201": (
        json_response({"success": True}, 201),
        "answered with status 201, and without a verdict",
    ),
    "a redirect": (
        faults.redirect("http://169.254.169.254/"),
        "answered with status 302, and without a verdict",
    ),
    "no JSON": (
        Response(200, b"<html>good</html>"),
        "answered with status 200, and without a verdict",
    ),
    "deep JSON": (
        faults.raw_json(b'{"a":' * 100_000),
        "answered with status 200, and without a verdict",
    ),
    "an array": (json_response([True]), "answered with status 200, and without a verdict"),
    "no verdict": (json_response({}), "answered with status 200, and without a verdict"),
    "a text": (
        json_response({"success": "true"}),
        "answered with status 200, and without a verdict",
    ),
}


@pytest.mark.parametrize("fault", AWAY)
async def test_while_the_service_fails_no_one_registers(
    graphql: GraphQL,
    captchas: CaptchaServer,
    services: Services,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    assert services.captcha
    services.captcha._http.timeout = 0.3
    captchas.fault, reason = AWAY[fault]
    answer = await graphql(REGISTER, **NEWCOMER)

    assert answer.code == "UNAVAILABLE"
    assert answer.error["message"] == (
        "The captcha cannot be verified at present. Try again in a moment."
    )
    [line] = [record.getMessage() for record in caplog.records if record.name == "gatehouse"]
    assert line == f"A captcha cannot be verified: {reason}."


async def test_while_the_service_is_not_there_users_sign_in(
    graphql: GraphQL, services: Services
) -> None:
    await graphql(REGISTER, **NEWCOMER)
    assert services.captcha
    services.captcha._url = f"http://127.0.0.1:{free_port()}/siteverify"
    refused = await graphql(REQUEST_SIGN_IN, email="new@example.com")
    login = await graphql(LOGIN, username="Newcomer", password=NEWCOMER["password"])

    assert refused.code == "UNAVAILABLE"
    assert login.errors == []


def test_a_verification_takes_at_most_three_seconds() -> None:
    assert captcha.TIMEOUT == 3.0


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("answer", "logged"),
    [
        (refused("invalid-input-secret"), "invalid-input-secret"),
        (refused("bad-request", status=400), "bad-request"),
        (refused("a", "b"), "a, b"),
        (refused(), "no reason was given"),
        (refused("Good\nA line", 7, None, "x" * 51), "no reason was given"),
        (json_response({"success": False, "error-codes": "x"}), "no reason was given"),
        (json_response({"success": False}), "no reason was given"),
    ],
)
async def test_why_a_captcha_was_refused_is_logged_and_not_told(
    graphql: GraphQL,
    captchas: CaptchaServer,
    caplog: pytest.LogCaptureFixture,
    answer: Response,
    logged: str,
) -> None:
    captchas.fault = answer
    told = await graphql(REGISTER, **NEWCOMER)

    assert told.error["message"] == MESSAGE
    assert told.error["extensions"] == {"code": "CAPTCHA_REQUIRED"}
    assert f"A captcha was refused: {logged}." in caplog.text


@pytest.mark.any_database
async def test_no_log_has_the_token_or_the_secret(
    graphql: GraphQL, captchas: CaptchaServer, caplog: pytest.LogCaptureFixture
) -> None:
    graphql.client.headers["X-Captcha-Token"] = token = "token-of-a-captcha"
    with caplog.at_level(logging.DEBUG):
        await graphql(REGISTER, **NEWCOMER)
        captchas.fault = Response(500)
        await graphql(REGISTER, **NEWCOMER)

    assert "cannot be verified" in caplog.text
    assert token not in caplog.text
    assert SECRET not in caplog.text


def test_a_websocket_has_no_token(migrated_sqlite: Path, tmp_path: Path) -> None:
    settings = {
        "CAPTCHA_VERIFY_URL": f"http://127.0.0.1:{free_port()}/siteverify",
        "CAPTCHA_SECRET": SECRET,
    }
    url, headers = copy_of(migrated_sqlite, tmp_path), {"X-Captcha-Token": "good"}
    with (
        running_server(url, SECRET_KEY, tmp_path, **settings) as server,
        open_socket(server, additional_headers=headers) as socket,
    ):
        initialize(socket)
        [error] = execute(socket, REGISTER_NEWCOMER)["errors"]

    assert error["extensions"]["code"] == "CAPTCHA_REQUIRED"


async def test_another_origin_may_send_the_header(client: httpx.AsyncClient) -> None:
    response = await client.options(
        "/graphql",
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-captcha-token",
        },
    )

    assert "x-captcha-token" in response.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.any_database
async def test_captchas_are_counted(captchas: CaptchaServer) -> None:
    metrics = Metrics()
    verifier = CaptchaVerifier(f"{captchas.url}/siteverify", SECRET, metrics)
    await verifier.require_good("good", None)
    with pytest.raises(CaptchaRequired):
        await verifier.require_good("good", None)
    captchas.fault = Response(500)
    with pytest.raises(CaptchaUnavailable):
        await verifier.require_good("better", None)
    await verifier.close()

    outcomes = ("PASSED", "REFUSED", "FAILED")
    value = metrics.registry.get_sample_value
    name = "gatehouse_captchas_total"
    assert [value(name, {"outcome": outcome}) for outcome in outcomes] == [1, 1, 1]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "one", [{"captcha_secret": SECRET}, {"captcha_verify_url": "https://captcha.example/verify"}]
)
def test_the_address_and_the_secret_come_together(database_url: str, one: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must be set together"):
        settings_for(database_url, **one)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "url", ["http://captcha.example/verify", "ftp://captcha.example", "captcha.example", "https://"]
)
def test_the_address_is_https(database_url: str, url: str) -> None:
    with pytest.raises(ValidationError, match="must be an https address"):
        settings_for(database_url, captcha_verify_url=url, captcha_secret=SECRET)


def test_a_server_without_such_services_loads_nothing_for_them() -> None:
    code = (
        "import sys; from api.services import create_app_state; from settings import Settings;"
        f" create_app_state(Settings(secret_key={SECRET_KEY!r}, database_url='sqlite:///x.db'));"
        " sys.exit('httpx2' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
