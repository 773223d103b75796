"""How sign-ins with a provider end: counted by provider and outcome, and logged with the reason."""

from collections import Counter
from typing import Any

import pytest

from api.telemetry.metrics import of_this_process
from settings import Settings
from tests import fault_server as faults
from tests.conftest import settings_for
from tests.fault_server import Answerer, Response, json_response
from tests.identity_provider import CLIENT_SECRET, METADATA, TOKEN, IdentityProvider
from tests.mail_proofs import DATA_KEY
from tests.provider_sign_ins import Browser, finish, parameters_of, settings_of, sign_in
from tests.users import GraphQL

pytestmark = pytest.mark.any_database


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    others = settings_of(identity_provider, "work", "other")
    return settings_for(database_url, data_key=DATA_KEY, metrics_port=9100, **others)


@pytest.fixture
def browser(graphql: GraphQL) -> Browser:
    return Browser(graphql.client)


class Counts:
    """The logins that this process has counted since the test began."""

    def __init__(self) -> None:
        self._before = self._read()

    def new(self) -> dict[tuple[str, str], float]:
        """Return the number by method and outcome, of those that have grown."""
        return dict(self._read() - self._before)

    @staticmethod
    def _read() -> Counter[tuple[str, str]]:
        return Counter(
            {
                (sample.labels["method"], sample.labels["outcome"]): int(sample.value)
                for metric in of_this_process().registry.collect()
                for sample in metric.samples
                if sample.name == "gatehouse_logins_total"
            }
        )


@pytest.fixture
def counts() -> Counts:
    return Counts()


async def test_sign_ins_are_counted_by_provider_and_outcome(
    graphql: GraphQL, browser: Browser, counts: Counts
) -> None:
    code = await browser.code()
    await finish(graphql, browser, code)
    await finish(graphql, browser, code, username="Ada")
    await sign_in(graphql, Browser(graphql.client, provider="other"))

    # A new account is asked for a username first.
    assert counts.new() == {
        ("work", "INVALID_INPUT"): 1,
        ("work", "OK"): 1,
        ("other", "OK"): 1,
    }


@pytest.mark.parametrize(
    ("answer", "claims", "failure", "reason"),
    [
        (lambda _: json_response({"error": "invalid_grant"}, 400), {}, "REFUSED", "invalid_grant"),
        (
            lambda _: json_response({"error": "invalid_client"}, 401),
            {},
            "REFUSED",
            "invalid_client",
        ),
        (lambda _: Response(503), {}, "UNAVAILABLE", "answered with status 503"),
        (lambda _: faults.close, {}, "UNAVAILABLE", "RemoteProtocolError"),
        (lambda _: json_response({}), {}, "INVALID", "`id_token` is missing"),
        (None, {"aud": "another"}, "INVALID", "ID token: `aud` is not this client alone"),
        (None, {"nonce": "another"}, "INVALID", "ID token: `nonce` is of another request"),
    ],
)
async def test_a_failure_at_the_provider_is_counted_and_logged(
    browser: Browser,
    identity_provider: IdentityProvider,
    counts: Counts,
    caplog: pytest.LogCaptureFixture,
    answer: Answerer | None,
    claims: dict[str, Any],
    failure: str,
    reason: str,
) -> None:
    identity_provider.claims = claims
    if answer:
        identity_provider.answers[TOKEN] = answer
    await browser.come_back(await browser.begin())
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    assert counts.new() == {("work", f"PROVIDER_{failure}"): 1}
    assert line.startswith(f"The provider work failed: {failure}: ")
    assert reason in line
    assert CLIENT_SECRET not in caplog.text


async def test_a_provider_that_is_away_is_counted_before_anyone_goes_there(
    browser: Browser,
    identity_provider: IdentityProvider,
    counts: Counts,
    caplog: pytest.LogCaptureFixture,
) -> None:
    identity_provider.answers[METADATA] = lambda _: Response(503)
    await browser.begin()

    assert counts.new() == {("work", "PROVIDER_UNAVAILABLE"): 1}
    assert "The provider work failed: UNAVAILABLE: metadata: answered with status 503" in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("error", "outcome", "told", "logged"),
    [
        ("access_denied", "ACCESS_DENIED", "access_denied", None),
        ("user_cancelled_authorize", "ACCESS_DENIED", "access_denied", None),
        ("invalid_scope", "PROVIDER_REFUSED", "provider_refused", "callback: invalid_scope"),
        ("server_error", "PROVIDER_UNAVAILABLE", "provider_unavailable", "callback: server_error"),
        ("Made\nup", "PROVIDER_REFUSED", "provider_refused", "no error that can be read"),
        ("", "PROVIDER_REFUSED", "provider_refused", "no error that can be read"),
    ],
)
async def test_an_error_in_the_callback_is_counted_and_logged(
    browser: Browser,
    counts: Counts,
    caplog: pytest.LogCaptureFixture,
    error: str,
    outcome: str,
    told: str,
    logged: str | None,
) -> None:
    begun = await browser.begin()
    query = {"state": parameters_of(begun)["state"], "error": error}
    back = await browser.get(f"/sign-in/{browser.provider}/callback", query)

    assert counts.new() == {("work", outcome): 1}
    assert parameters_of(back) == {"error": told}
    assert ("The provider work failed" in caplog.text) == (logged is not None)
    assert (logged or "") in caplog.text
    assert "Made" not in caplog.text


async def test_a_client_adds_no_provider(
    graphql: GraphQL, browser: Browser, counts: Counts
) -> None:
    for name in ("made", "up", "WORK", "work%00"):
        await Browser(graphql.client, provider=name).begin()
        await browser.get(f"/sign-in/{name}/callback", {"state": "x" * 64, "code": "x"})
    begun = await browser.begin()
    other = {"state": parameters_of(begun)["state"], "code": "x"}
    await browser.get("/sign-in/other/callback", other)

    assert counts.new() == {}
