"""The metadata and keys of a provider: which are trusted, and how often they are read."""

import asyncio
from typing import Any

import pytest

from domain.providers import Provider, ProviderError, ProviderFailure, build_provider
from domain.providers.metadata import Metadata
from tests import fault_server as faults
from tests.clocks import CacheClock
from tests.fault_server import Request, Response, raw_json
from tests.identity_provider import KEYS, METADATA, TOKEN, IdentityProvider, sign_in
from tests.jwts import key, signed

HOUR = 3600

DOCUMENT = {
    "issuer": "https://provider.example",
    "authorization_endpoint": "https://provider.example/authorize",
    "token_endpoint": "https://provider.example/token",
    "jwks_uri": "https://keys.provider.example/jwks",
}


def parse(**changes: Any) -> Metadata:
    document = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return Metadata.parse(document, issuer="https://provider.example")


async def begin(provider: Provider) -> str:
    return await provider.authorization_url(
        redirect_uri="https://gatehouse.test/callback", state="s", nonce="n", code_challenge="c"
    )


@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "",
        "https://attacker.example",
        "https://provider.example/",
        "https://PROVIDER.example",
        "http://provider.example",
        "https://provider.example?",
        ["https://provider.example"],
        "x" * 10_000,
    ],
)
def test_metadata_of_another_issuer_are_refused(issuer: object) -> None:
    with pytest.raises(ProviderError) as error:
        parse(issuer=issuer)

    assert error.value.failure is ProviderFailure.INVALID
    assert error.value.reason.startswith("metadata: the issuer is ")
    assert len(error.value.reason) < 300


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://provider.example/",
        # What listens on this machine is no business of a provider elsewhere.
        "http://127.0.0.1:6379/",
        "http://localhost/",
        "https://user@provider.example/",
        "javascript:alert(1)",
        "/token",
        "",
        ["https://provider.example/"],
    ],
)
def test_an_endpoint_must_be_an_https_address(name: str, endpoint: object) -> None:
    with pytest.raises(ProviderError, match=f"INVALID: metadata: `{name}` is"):
        parse(**{name: endpoint})


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_metadata_must_have_the_endpoints_that_are_used(name: str) -> None:
    with pytest.raises(ProviderError, match=f"INVALID: metadata: `{name}` is missing"):
        parse(**{name: None})


def test_metadata_have_defaults() -> None:
    metadata = parse()

    assert metadata.signing_algorithms == ("RS256",)
    assert metadata.token_endpoint_auth_methods == ("client_secret_basic",)
    assert metadata.userinfo_endpoint is None
    assert not metadata.sends_issuer


async def test_the_metadata_of_a_provider_that_names_another_are_refused(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    identity_provider.metadata = {"issuer": "https://attacker.example"}

    with pytest.raises(ProviderError, match="INVALID: metadata: the issuer is"):
        await begin(provider)


@pytest.mark.parametrize("path", ["/realms/main", "/realms/main/"])
async def test_an_issuer_with_a_path_has_its_metadata_below_it(
    identity_provider: IdentityProvider, path: str
) -> None:
    identity_provider.issuer_path = path
    provider = build_provider(identity_provider.config())

    assert (await sign_in(provider)).issuer == identity_provider.url + path
    await provider.close()


async def test_metadata_and_keys_are_read_once_an_hour(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    for seconds in (0, HOUR - 1, 1):
        cache_clock.move(seconds)
        await sign_in(provider)
        await sign_in(provider)

    assert len(identity_provider.requests_to(METADATA)) == 2
    assert len(identity_provider.requests_to(KEYS)) == 2


async def test_fifty_first_sign_ins_read_them_once(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    profiles = await asyncio.gather(*(sign_in(provider) for _ in range(50)))

    assert len(profiles) == 50
    assert len(identity_provider.requests_to(METADATA)) == 1
    assert len(identity_provider.requests_to(KEYS)) == 1


async def test_a_browser_that_leaves_does_not_stop_the_others(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()
    answer = identity_provider.answer

    async def late(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await go_on.wait()
        original = answer(Request("GET", METADATA, {}, {}, {}))
        assert isinstance(original, Response)
        writer.write(original.encoded())

    identity_provider.answers[METADATA] = lambda _: late
    first, second = asyncio.create_task(begin(provider)), asyncio.create_task(begin(provider))
    await arrived.wait()
    first.cancel()
    go_on.set()

    assert "/authorize?" in await second
    assert len(identity_provider.requests_to(METADATA)) == 1


@pytest.mark.parametrize("endpoint", [METADATA, KEYS])
async def test_a_provider_that_is_away_is_asked_every_five_seconds(
    provider: Provider,
    identity_provider: IdentityProvider,
    cache_clock: CacheClock,
    endpoint: str,
) -> None:
    identity_provider.answers[endpoint] = lambda _: Response(503)
    for _ in range(10):
        with pytest.raises(ProviderError, match="answered with status 503"):
            await provider.check()
    cache_clock.move(4)
    with pytest.raises(ProviderError, match="UNAVAILABLE"):
        await provider.check()
    assert len(identity_provider.requests_to(endpoint)) == 1
    del identity_provider.answers[endpoint]
    cache_clock.move(1)

    assert await sign_in(provider)
    assert len(identity_provider.requests_to(endpoint)) == 2


async def test_the_end_of_the_process_does_not_wait_for_a_provider(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    arrived = asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await faults.hang(writer)

    identity_provider.answers[METADATA] = lambda _: hang
    waiting = asyncio.create_task(begin(provider))
    await arrived.wait()
    await provider.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_new_key_is_read_when_a_token_has_it(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    await sign_in(provider)
    second = key("second")
    identity_provider.published, identity_provider.signs_with = [key("first"), second], second
    cache_clock.move(60)

    assert await sign_in(provider)
    assert await sign_in(provider)
    assert len(identity_provider.requests_to(KEYS)) == 2
    assert len(identity_provider.requests_to(METADATA)) == 1


async def test_a_new_key_without_an_id_is_read_too(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    without_id = [key(name).jwk() | {"kid": None} for name in ("first", "second")]
    current = without_id[:1]
    identity_provider.answers[KEYS] = lambda _: faults.json_response({"keys": current})
    identity_provider.id_token = lambda claims: signed(
        claims, identity_provider.signs_with, kid=None
    )
    await sign_in(provider)
    current, identity_provider.signs_with = without_id[1:], key("second")
    cache_clock.move(60)

    assert await sign_in(provider)
    assert len(identity_provider.requests_to(KEYS)) == 2


async def test_an_unknown_key_is_looked_for_once_a_minute(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    await provider.check()
    identity_provider.signs_with = key("foreign")
    for _ in range(100):
        # A hundred sign-ins in ten minutes.
        cache_clock.move(6)
        with pytest.raises(ProviderError, match="INVALID: ID token: its key is not published"):
            await sign_in(provider)

    assert len(identity_provider.requests_to(TOKEN)) == 100
    assert len(identity_provider.requests_to(KEYS)) <= 11


async def test_sign_ins_at_the_same_time_look_for_a_key_once(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    await provider.check()
    second = key("second")
    identity_provider.published, identity_provider.signs_with = [second], second
    cache_clock.move(61)
    await asyncio.gather(*(sign_in(provider) for _ in range(20)))

    assert len(identity_provider.requests_to(KEYS)) == 2


async def test_the_former_keys_stay_if_new_ones_cannot_be_read(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    await provider.check()
    identity_provider.answers[KEYS] = lambda _: Response(500)
    identity_provider.signs_with = key("second")
    cache_clock.move(61)
    with pytest.raises(ProviderError, match="UNAVAILABLE: keys: answered with status 500"):
        await sign_in(provider)
    with pytest.raises(ProviderError, match="INVALID: ID token: its key is not published"):
        await sign_in(provider)
    identity_provider.signs_with = key("first")

    assert await sign_in(provider)
    assert len(identity_provider.requests_to(KEYS)) == 2


async def test_a_withdrawn_key_is_refused_after_an_hour_at_the_latest(
    provider: Provider, identity_provider: IdentityProvider, cache_clock: CacheClock
) -> None:
    await sign_in(provider)
    identity_provider.published = [key("second")]
    cache_clock.move(HOUR - 1)
    assert await sign_in(provider)
    cache_clock.move(1)

    with pytest.raises(ProviderError, match="INVALID: ID token: its key is not published"):
        await sign_in(provider)


@pytest.mark.parametrize("keys", [b"{}", b'{"keys": {}}', b'{"keys": null}'])
async def test_keys_must_be_a_list(
    provider: Provider, identity_provider: IdentityProvider, keys: bytes
) -> None:
    identity_provider.answers[KEYS] = lambda _: raw_json(keys)

    with pytest.raises(ProviderError, match="INVALID: keys: `keys` is not a list"):
        await provider.check()


async def test_a_thousand_keys_are_not_all_read(
    provider: Provider, identity_provider: IdentityProvider
) -> None:
    others = [key("first").jwk() | {"kid": f"other {number}"} for number in range(1000)]
    identity_provider.answers[KEYS] = lambda _: faults.json_response(
        {"keys": [*others, key("first").jwk()]}
    )

    with pytest.raises(ProviderError, match="INVALID: ID token: its key is not published"):
        await sign_in(provider)
