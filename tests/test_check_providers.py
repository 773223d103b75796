"""`gatehouse check`: identity providers, and where a sign-in may return to."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.check.findings import Check, Level
from cli.check.providers import TIMEOUT, provider_discovery, providers, redirect_allowlist
from tests import fault_server as faults
from tests.conftest import settings_for
from tests.fault_server import Answerer, Response, json_response, redirect, serving_in_thread
from tests.identity_provider import CLIENT_SECRET, KEYS, METADATA, IdentityProvider
from tests.mail_proofs import DATA_KEY
from tests.provider_sign_ins import settings_of

HERE = {"public_url": "https://accounts.example.com", "environment": "production"}

Findings = list[tuple[Level, str, str]]


@pytest.fixture
def work() -> Iterator[IdentityProvider]:
    """Serve the provider beside the check, which runs a loop of its own."""
    with serving_in_thread(IdentityProvider()) as work:
        yield work


def found(check: Check, **settings: Any) -> Findings:
    values = {**HERE, "data_key": DATA_KEY, **settings}
    findings = check(settings_for("sqlite:///g.db", **values))
    return [(finding.level, finding.item, finding.message) for finding in findings]


def registered(name: str = "work", **settings: Any) -> dict[str, Any]:
    """Return the settings of a provider that nothing is sent to."""
    one = {"client_id": "a", "client_secret": "b", "issuer": "https://id.example.com"} | settings
    return {"providers": (name,), "provider_settings": {name: one}}


def allowed(*addresses: str) -> Findings:
    return found(redirect_allowlist, **registered(), redirect_allowlist=addresses)


def test_without_providers_there_is_nothing_to_check() -> None:
    assert found(providers) == [
        (Level.OK, "PROVIDERS", "not set: users cannot sign in with a provider"),
    ]
    assert (found(provider_discovery), found(redirect_allowlist)) == ([], [])


def test_the_address_to_register_is_printed() -> None:
    name = "work"
    address = f"https://accounts.example.com/sign-in/{name}/callback"

    assert found(providers, **registered()) == [
        (Level.OK, "PROVIDER_WORK", f"register exactly this redirect address: {address}"),
    ]


@pytest.mark.parametrize(
    ("name", "environment", "level"),
    [
        ("work", "production", Level.PROBLEM),
        ("work", "development", Level.OK),
        # Apple accepts no other.
        ("apple", "development", Level.PROBLEM),
    ],
)
def test_a_redirect_address_is_https_outside_development(
    name: str, environment: str, level: Level
) -> None:
    changes = {"public_url": "http://localhost:8000", "environment": environment}
    [finding] = found(providers, **registered(name) | changes)

    assert finding[0] is level
    assert f"http://localhost:8000/sign-in/{name}/callback" in finding[2]


@pytest.mark.parametrize(
    ("tenant", "users"),
    [
        ("common", "of every company and with personal accounts"),
        ("organizations", "of every company"),
        ("consumers", "with personal accounts"),
        ("1f3a", "of the tenant 1f3a"),
        (None, "of every company and with personal accounts"),
    ],
)
def test_the_users_of_microsoft_are_those_of_a_tenant(tenant: str | None, users: str) -> None:
    issuer = tenant and f"https://login.microsoftonline.com/{tenant}/v2.0"
    _, (level, item, message) = found(providers, **registered("microsoft", issuer=issuer))

    assert (level, item) == (Level.OK, "PROVIDER_MICROSOFT")
    assert message.startswith(f"users {users} can sign in; ")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize(("mode", "level"), [(0o600, Level.OK), (0o644, Level.PROBLEM)])
def test_the_key_for_apple_is_for_one_user_alone(tmp_path: Path, mode: int, level: Level) -> None:
    file = tmp_path / "key.p8"
    file.touch(mode)
    _, key = found(providers, **registered("apple", private_key_file=file))

    assert key[:2] == (level, "PROVIDER_APPLE_PRIVATE_KEY_FILE")


def test_what_a_provider_publishes_is_read(work: IdentityProvider) -> None:
    assert found(provider_discovery, **settings_of(work)) == [
        (Level.OK, "PROVIDER_WORK", "can be used"),
    ]
    # Nothing is sent that could change something there.
    assert [(request.method, request.path) for request in work.requests] == [
        ("GET", METADATA),
        ("GET", KEYS),
    ]


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        (METADATA, lambda _: Response(404), "metadata: answered with status 404"),
        (METADATA, lambda _: Response(503), "metadata: answered with status 503"),
        (METADATA, lambda _: redirect("https://example.com"), "answered with status 302"),
        (METADATA, lambda _: Response(200, b"<html>"), "the body is not declared as JSON"),
        (METADATA, lambda _: faults.raw_json(b"{"), "the body is not valid JSON"),
        (METADATA, lambda _: json_response({"issuer": "https://a.example"}), "the issuer is "),
        (METADATA, lambda _: faults.close, "metadata: RemoteProtocolError"),
        (METADATA, lambda _: faults.garbage, "metadata: RemoteProtocolError"),
        (METADATA, lambda _: faults.large(2**20 + 1), "metadata: the body exceeds"),
        (KEYS, lambda _: Response(404), "keys: answered with status 404"),
        (KEYS, lambda _: json_response({"keys": None}), "keys: `keys` is not a list"),
    ],
)
def test_a_provider_that_cannot_be_used_is_a_problem(
    work: IdentityProvider, path: str, answer: Answerer, says: str
) -> None:
    work.answers[path] = answer
    [(level, item, message)] = found(provider_discovery, **settings_of(work))

    assert (level, item) == (Level.PROBLEM, "PROVIDER_WORK")
    assert message.startswith("cannot be used: ")
    assert says in message
    assert CLIENT_SECRET not in message


def test_an_issuer_is_compared_letter_by_letter(work: IdentityProvider) -> None:
    settings = settings_of(work)
    settings["provider_settings"]["work"]["issuer"] = f"{work.url}/"
    [(level, _, message)] = found(provider_discovery, **settings)

    assert level is Level.PROBLEM
    assert f"the issuer is {work.url!r} instead of '{work.url}/'" in message


def test_a_provider_that_is_not_there_is_a_problem() -> None:
    with serving_in_thread(IdentityProvider()) as gone:
        settings = settings_of(gone)
    [(level, _, message)] = found(provider_discovery, **settings)

    assert level is Level.PROBLEM
    assert message.startswith("cannot be used: metadata: cannot connect: ")


def test_a_provider_has_five_seconds_for_everything(
    work: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TIMEOUT == 5.0
    # Its name leads to the function.
    monkeypatch.setattr(sys.modules[providers.__module__], "TIMEOUT", 0.2)
    work.answers[KEYS] = lambda _: faults.hang
    [(level, _, message)] = found(provider_discovery, **settings_of(work))

    assert level is Level.PROBLEM
    assert message == "cannot be used: no complete answer within 0.2 seconds"


def test_providers_are_asked_at_the_same_time(work: IdentityProvider) -> None:
    three = asyncio.Barrier(3)

    async def answer_together(writer: asyncio.StreamWriter) -> None:
        await three.wait()
        writer.write(json_response({}).encoded())

    work.answers[METADATA] = lambda _: answer_together
    findings = found(provider_discovery, **settings_of(work, "one", "two", "three"))

    assert ["the issuer is None" in message for _, _, message in findings] == [True] * 3


def test_one_provider_that_is_away_does_not_hide_the_others(work: IdentityProvider) -> None:
    settings = settings_of(work, "work", "other")
    settings["provider_settings"]["work"] = settings["provider_settings"]["other"] | {
        "issuer": f"{work.url}/nowhere"
    }
    levels = [level for level, *_ in found(provider_discovery, **settings)]

    assert levels == [Level.PROBLEM, Level.OK]


def test_a_sign_in_may_return_to_pages_and_applications() -> None:
    addresses = (
        "https://app.example.com/signed-in",
        "com.example.app:/signed-in",
        "http://127.0.0.1/signed-in",
        "http://[::1]/signed-in",
    )
    page = "https://accounts.example.com/account/finish-sign-in"

    assert allowed(*addresses) == [
        (Level.OK, "REDIRECT_ALLOWLIST", ", ".join([*addresses, page])),
    ]


@pytest.mark.parametrize("address", ["https://*.example.com/a", "https://app.example.com/*"])
def test_no_address_has_a_placeholder(address: str) -> None:
    [(level, item, message)] = allowed("https://app.example.com/a", address)

    assert (level, item) == (Level.PROBLEM, "REDIRECT_ALLOWLIST")
    assert message.startswith(f"has {address}: addresses are compared character by character")


@pytest.mark.parametrize(
    "address", ["http://localhost:3000/a", "https://127.0.0.1/a", "http://127.0.0.10/a"]
)
def test_other_addresses_of_the_users_machine_are_for_development(address: str) -> None:
    [(level, item, message)] = allowed("http://127.0.0.1/a", address)

    assert (level, item) == (Level.WARNING, "REDIRECT_ALLOWLIST")
    assert message.startswith(f"has {address}: for development only")
