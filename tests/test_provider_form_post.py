"""A provider that posts the callback from a page of its own, as Apple does."""

import httpx
import pytest

from domain.services import Services
from settings import Settings
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider, provider_with, visit
from tests.mail_proofs import DATA_KEY
from tests.provider_sign_ins import SIGNED_IN, Browser, finish, parameters_of, settings_of
from tests.users import GraphQL

pytestmark = pytest.mark.any_database

LOG_IN = "https://accounts.example.com/account/login"


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    return settings_for(
        database_url,
        data_key=DATA_KEY,
        public_url="https://accounts.example.com",
        **settings_of(identity_provider),
    )


@pytest.fixture
async def browser(
    graphql: GraphQL, services: Services, identity_provider: IdentityProvider
) -> Browser:
    await services.providers["work"].close()
    posting = provider_with(identity_provider.config(), form_post=True)
    services.providers["work"] = posting  # type: ignore[index]
    return Browser(graphql.client)


async def post(browser: Browser, begun: httpx.Response, cookies: dict[str, str]) -> httpx.Response:
    """Post the callback as the provider's page does."""
    form = await visit(begun.headers["Location"])
    # Of Apple at the first sign-in. It is not signed, and not read.
    form["user"] = '{"name": {"firstName": "Ada"}, "email": "other@example.com"}'
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return await browser.client.post(
        f"/sign-in/{browser.provider}/callback",
        data=form,
        headers={"Origin": "https://appleid.apple.com", "Cookie": cookie},
    )


async def test_a_posted_callback_comes_with_the_cookie_and_signs_in(
    graphql: GraphQL, browser: Browser
) -> None:
    begun = await browser.begin()
    back = await post(browser, begun, browser.cookies)
    answer = await finish(graphql, browser, parameters_of(back)["code"], username="Countess")

    [cookie] = begun.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-gatehouse-flow=")
    assert cookie.endswith("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=None")
    assert back.headers["Location"].startswith(f"{SIGNED_IN}?code=")
    assert answer.data["finishSignIn"]["user"]["email"] == "ada@example.com"


async def test_a_posted_callback_without_the_cookie_needs_the_verifier(
    graphql: GraphQL, browser: Browser
) -> None:
    code = parameters_of(await post(browser, await browser.begin(), {}))["code"]
    stolen = await finish(graphql, Browser(graphql.client), code, username="Countess")

    assert stolen.code == "INVALID_CODE"
    assert (await finish(graphql, browser, code, username="Countess")).errors == []


async def test_a_posted_callback_of_another_browser_is_refused(browser: Browser) -> None:
    begun = await browser.begin()
    back = await post(browser, begun, {"__Host-gatehouse-flow": "x" * 43})

    assert back.headers["Location"] == f"{LOG_IN}?error=invalid_sign_in"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"state=a&state=b", "application/x-www-form-urlencoded"),
        (b"state=%ff", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"", ""),
    ],
)
async def test_a_posted_callback_that_is_no_form_leads_to_the_log_in_page(
    browser: Browser, body: bytes, content_type: str
) -> None:
    back = await browser.client.post(
        f"/sign-in/{browser.provider}/callback",
        content=body,
        headers={"Content-Type": content_type},
    )

    assert back.status_code == 303
    assert back.headers["Location"].startswith(f"{LOG_IN}?error=invalid_")
