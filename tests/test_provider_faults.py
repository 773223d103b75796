"""Providers that are away, slow, broken or hostile at the level of HTTP.

Every endpoint gets every fault, and every fault ends in an error whose reason names both.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.providers import Provider, ProviderError, ProviderFailure, build_provider
from domain.providers.http import HttpClient
from tests import fault_server as faults
from tests.certificates import trusted_certificate
from tests.fault_server import Answerer, Fault, FaultServer, Request, Response, raw_json, serving
from tests.identity_provider import KEYS, METADATA, TOKEN, USERINFO, IdentityProvider, sign_in
from tests.servers import free_port

UNAVAILABLE, REFUSED, INVALID = ProviderFailure

SOURCES = {METADATA: "metadata", KEYS: "keys", TOKEN: "token endpoint", USERINFO: "userinfo"}

# In seconds, where the provider hangs.
SHORT = 0.3

CLOUD_METADATA = "http://169.254.169.254/latest/meta-data/"


def always(answer: Response | Fault) -> Answerer:
    return lambda _: answer


def status(code: int) -> Answerer:
    return always(raw_json(b'{"error": "secret-of-a-provider"}', code))


def body(text: bytes, content_type: str | None = "application/json") -> Answerer:
    headers = {"Content-Type": content_type} if content_type else {}
    return always(Response(200, text, headers))


HANGS: dict[str, Answerer] = {
    "hangs before headers": always(faults.hang),
    "hangs in headers": always(faults.hang_in_headers),
    "hangs in the body": always(faults.hang_in_body),
    "sends a byte now and then": always(faults.drip),
}

FAULTS: dict[str, tuple[Answerer, ProviderFailure, str]] = {
    "closes the socket": (always(faults.close), UNAVAILABLE, "RemoteProtocolError"),
    "resets in the body": (always(faults.reset_in_body), UNAVAILABLE, "Error"),
    "headers without an end": (always(faults.endless_headers), UNAVAILABLE, "Error"),
    "body without an end": (always(faults.endless_body), UNAVAILABLE, "exceeds 1048576 bytes"),
    "no HTTP": (always(faults.garbage), UNAVAILABLE, "RemoteProtocolError"),
    "5 MiB": (always(faults.large(5 * 2**20)), UNAVAILABLE, "exceeds 1048576 bytes"),
    "a byte too many": (always(faults.large(2**20 + 1)), UNAVAILABLE, "exceeds 1048576 bytes"),
    "gzip bomb": (always(faults.gzip_bomb(5 * 2**20)), UNAVAILABLE, "exceeds 1048576 bytes"),
    "gzip bomb in gzip": (
        always(faults.gzip_bomb(50 * 2**20, times=3)),
        UNAVAILABLE,
        "exceeds 1048576 bytes",
    ),
    "gzip too often": (always(faults.gzip_bomb(10, times=9)), UNAVAILABLE, "DecodingError"),
    "broken gzip": (always(faults.wrong_gzip), UNAVAILABLE, "DecodingError"),
    "redirect to the cloud's metadata": (
        always(faults.redirect(CLOUD_METADATA)),
        INVALID,
        "status 302",
    ),
    "permanent redirect": (always(faults.redirect(CLOUD_METADATA, 308)), INVALID, "status 308"),
    "redirect to nowhere": (always(faults.redirect("http://[", 303)), INVALID, "status 303"),
    "status 500": (status(500), UNAVAILABLE, "status 500"),
    "status 503": (status(503), UNAVAILABLE, "status 503"),
    "status 429": (status(429), UNAVAILABLE, "status 429"),
    "status 403": (status(403), REFUSED, "status 403"),
    "status 404": (status(404), REFUSED, "status 404"),
    "status 201": (status(201), INVALID, "status 201"),
    "status 204": (always(Response(204)), INVALID, "status 204"),
    "no JSON": (body(b"{"), INVALID, "is not valid JSON"),
    "nothing": (body(b""), INVALID, "is not valid JSON"),
    "no UTF-8": (body(b'{"a": "\xff"}'), INVALID, "is not valid JSON"),
    "NaN": (body(b'{"a": NaN}'), INVALID, "is not valid JSON"),
    "deep JSON": (body(b'{"a":' * 100_000), INVALID, "is not valid JSON"),
    "a deep array": (body(b"[" * 1_000_000), INVALID, "is not valid JSON"),
    "a huge number": (body(b'{"a":' + b"9" * 10_000 + b"}"), INVALID, "is not valid JSON"),
    "an array": (body(b"[]"), INVALID, "is not a JSON object"),
    "a string": (body(b'"secret-of-a-provider"'), INVALID, "is not a JSON object"),
    "null": (body(b"null"), INVALID, "is not a JSON object"),
    "HTML": (body(b"{}", "text/html"), INVALID, "is not declared as JSON"),
    "a JWT": (body(b"{}", "application/jwt"), INVALID, "is not declared as JSON"),
    "no type": (body(b"{}", None), INVALID, "is not declared as JSON"),
}


def shorten_before(endpoint: str, identity_provider: IdentityProvider, http: HttpClient) -> None:
    """Shorten the timeout of a client from the request to an endpoint on, so that none before it
    fails on a busy machine."""
    order = [METADATA, TOKEN, KEYS, USERINFO]
    place = order.index(endpoint)
    if place == 0:
        http.timeout = SHORT
    else:
        before, answer = order[place - 1], identity_provider.answer

        def answer_and_shorten(request: Request) -> Response | Fault:
            http.timeout = SHORT
            return answer(request)

        identity_provider.answers[before] = answer_and_shorten


async def failed(action: Callable[[], Any]) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        await action()
    return error.value


@pytest.mark.parametrize("endpoint", SOURCES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_a_provider_is_an_error_that_says_which(
    provider: Provider, identity_provider: IdentityProvider, endpoint: str, fault: str
) -> None:
    answer, failure, reason = FAULTS[fault]
    identity_provider.claims = {"email": None}
    identity_provider.answers[endpoint] = answer
    error = await failed(lambda: sign_in(provider))

    assert error.failure is failure
    assert error.reason.startswith(f"{SOURCES[endpoint]}: ")
    assert reason in error.reason
    assert "secret" not in str(error)
    assert len(identity_provider.requests_to(endpoint)) == 1


@pytest.mark.parametrize("endpoint", SOURCES)
@pytest.mark.parametrize("fault", HANGS)
async def test_a_provider_that_hangs_is_given_up(
    identity_provider: IdentityProvider, endpoint: str, fault: str
) -> None:
    http = HttpClient()
    provider = build_provider(identity_provider.config(), http)
    identity_provider.claims = {"email": None}
    identity_provider.answers[endpoint] = HANGS[fault]
    shorten_before(endpoint, identity_provider, http)
    error = await failed(lambda: sign_in(provider))
    await provider.close()

    assert error.failure is UNAVAILABLE
    assert error.reason == f"{SOURCES[endpoint]}: no complete answer within 0.3 seconds"


def test_a_provider_is_given_up_before_five_seconds() -> None:
    assert HttpClient().timeout == 4.5


async def test_a_body_of_one_mib_is_read(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    answer = identity_provider.answer

    def padded(request: faults.Request) -> Response:
        original = answer(request)
        assert isinstance(original, Response)
        return raw_json(original.body.ljust(2**20))

    identity_provider.answers[METADATA] = padded
    await provider.check()


async def test_a_compressed_answer_is_read(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.answers[KEYS] = always(faults.compressed(b'{"keys": []}'))

    await provider.check()
    assert identity_provider.requests_to(KEYS)[0].headers["accept-encoding"] == "identity"


async def test_connections_that_hung_do_not_fill_the_pool(
    identity_provider: IdentityProvider,
) -> None:
    http = HttpClient()
    provider = build_provider(identity_provider.config(), http)
    await provider.check()
    http.timeout = SHORT
    identity_provider.answers[TOKEN] = always(faults.hang)
    hung = await asyncio.gather(*(failed(lambda: sign_in(provider)) for _ in range(50)))
    del identity_provider.answers[TOKEN]
    http.timeout = 5

    assert {error.failure for error in hung} == {UNAVAILABLE}
    profiles = await asyncio.gather(*(sign_in(provider) for _ in range(25)))
    assert len(profiles) == 25
    await provider.close()


async def test_a_provider_that_is_not_there_is_an_error() -> None:
    config = IdentityProvider(url=f"http://127.0.0.1:{free_port()}").config()
    provider = build_provider(config)
    error = await failed(provider.check)
    await provider.close()

    assert error.failure is UNAVAILABLE
    assert error.reason.startswith("metadata: cannot connect: ")


async def test_no_proxy_of_the_environment_is_used(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    await provider.check()


@pytest.mark.parametrize(
    "url",
    [
        "http://provider.example/token",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://127.0.0.1.attacker.example/",
        "http://127.0.0.1@attacker.example/",
        "https://user:password@provider.example/",
        "https:///token",
        "https://provider.example:port/",
        "https://provider.example/#fragment",
        "https://provider.example/a b",
        "https://provider.example/\r\nHost: x",
        "https://pröv.example/",
        "https://provider.example\\@attacker.example/",
        "https://[::1",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//provider.example/",
        "",
        "https://provider.example/" + "x" * 3000,
    ],
)
async def test_a_request_goes_only_to_a_secure_address(url: str) -> None:
    http = HttpClient()
    error = await failed(lambda: http.get("keys", url))
    await http.close()

    assert error.failure is INVALID
    assert error.reason == "keys: its address is not https"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
async def test_plain_http_is_for_this_machine(host: str) -> None:
    http = HttpClient()
    error = await failed(lambda: http.get("keys", f"http://{host}:1/"))
    await http.close()

    assert error.failure is UNAVAILABLE


async def test_a_provider_is_read_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = trusted_certificate(tmp_path, monkeypatch)
    async with serving(IdentityProvider(), ssl=certificate) as identity_provider:
        # The certificates that OpenSSL trusts, as they are at this moment.
        http = HttpClient(tls=ssl.create_default_context())
        provider = build_provider(identity_provider.config(), http)
        await provider.check()
        await provider.close()

        # And those that this machine trusts.
        monkeypatch.undo()
        provider = build_provider(identity_provider.config())
        error = await failed(provider.check)
        await provider.close()

    assert error.failure is UNAVAILABLE
    assert error.reason.startswith("metadata: cannot connect: ")
    assert "CERTIFICATE_VERIFY_FAILED" in error.reason


async def test_a_handshake_that_hangs_is_given_up() -> None:
    async with serving(FaultServer()) as server:
        http = HttpClient(timeout=SHORT)
        # The server waits for the end of a line.
        error = await failed(lambda: http.get("keys", server.url.replace("http:", "https:")))
        await server.until_closed()
        await http.close()

    assert error.failure is UNAVAILABLE
    assert error.reason == "keys: cannot connect within 0.15 seconds"
