"""The way to a provider and back: what binds it to one browser, and what ends it."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from db.models import Identity, Ticket
from domain.providers.pkce import challenge_of, new_verifier
from domain.services import Services
from settings import Settings
from tests import fault_server as faults
from tests.conftest import settings_for
from tests.fault_server import Response
from tests.identity_provider import KEYS, METADATA, TOKEN, USERINFO, IdentityProvider
from tests.mail_proofs import DATA_KEY
from tests.operations import (
    FINISH_LINKING,
    IDENTITIES,
    PROVIDERS,
    SET_PASSWORD,
    START_LINKING,
    UNLINK,
)
from tests.provider_sign_ins import SIGNED_IN, Browser, finish, parameters_of, settings_of, sign_in
from tests.users import Answer, GraphQL, RegisteredUser

LOG_IN = "http://127.0.0.1:8000/account/login"


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    others = settings_of(identity_provider, "work", "other") | {
        "redirect_allowlist": (
            SIGNED_IN,
            "com.example.app:/signed-in",
            "http://127.0.0.1/signed-in",
        )
    }
    return settings_for(database_url, data_key=DATA_KEY, environment="production", **others)


@pytest.fixture
def browser(graphql: GraphQL) -> Browser:
    return Browser(graphql.client)


async def test_the_graph_lists_the_providers_in_their_order(graphql: GraphQL) -> None:
    assert (await graphql(PROVIDERS)).data["providers"] == [
        {"name": "work", "label": "Work"},
        {"name": "other", "label": "Other"},
    ]


async def test_the_browser_comes_back_with_a_code_and_without_tokens(browser: Browser) -> None:
    begun = await browser.begin()
    back = await browser.come_back(begun)

    [cookie] = begun.headers.get_list("set-cookie")
    assert cookie.startswith("gatehouse-flow=")
    assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")
    assert back.headers["Location"].startswith(f"{SIGNED_IN}?code=")
    assert back.headers["Referrer-Policy"] == "no-referrer"
    assert list(parameters_of(back)) == ["code"]


@pytest.mark.parametrize(
    "redirect_to",
    [
        "",
        "https://evil.example",
        "https://app.example.com",
        "https://app.example.com/signed-in/",
        "https://app.example.com/signed-in?x=1",
        "https://app.example.com/signed-in#x",
        "https://app.example.com/Signed-in",
        "https://app.example.com/%73igned-in",
        "https://app.example.com/./signed-in",
        "https://app.example.com:443/signed-in",
        "https://app.example.com:8443/signed-in",
        "https://APP.example.com/signed-in",
        "https://app.example.com@evil.example/signed-in",
        "https://user@app.example.com/signed-in",
        "https://app.example.com\\@evil.example/signed-in",
        "//app.example.com/signed-in",
        "http://app.example.com/signed-in",
        "javascript:alert(1)",
        " https://app.example.com/signed-in",
        "https://app.example.com/signed-in\n",
        "http://127.0.0.1:80a/signed-in",
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080@evil.example/signed-in",
        "http://localhost:8080/signed-in",
        "com.example.app:/other",
        "x" * 5_000,
    ],
)
async def test_a_sign_in_returns_to_listed_addresses_only(
    browser: Browser, redirect_to: str
) -> None:
    begun = await browser.begin(redirect_to=redirect_to)

    assert begun.headers["Location"] == f"{LOG_IN}?error=invalid_request"


@pytest.mark.parametrize(
    "redirect_to",
    [
        "com.example.app:/signed-in",
        "http://127.0.0.1:51234/signed-in",
        "http://127.0.0.1/signed-in",
    ],
)
async def test_applications_get_the_code_at_their_own_addresses(
    browser: Browser, redirect_to: str
) -> None:
    back = await browser.come_back(await browser.begin(redirect_to=redirect_to))

    assert back.headers["Location"].startswith(f"{redirect_to}?code=")


def test_a_sign_in_may_return_to_the_pages_of_app_url_and_to_the_account_pages(
    database_url: str,
) -> None:
    elsewhere = settings_for(database_url, app_url="https://app.example.com")
    off = settings_for(database_url, account_pages=False)

    account_page = "http://127.0.0.1:8000/account/finish-sign-in"
    assert elsewhere.redirect_addresses == ("https://app.example.com/finish-sign-in", account_page)
    assert off.redirect_addresses == (account_page,)


@pytest.mark.parametrize("challenge", ["", "short", "x" * 44, "x" * 42 + "="])
async def test_a_sign_in_needs_a_challenge(browser: Browser, challenge: str) -> None:
    begun = await browser.begin(code_challenge=challenge)

    assert begun.headers["Location"] == f"{LOG_IN}?error=invalid_request"


async def test_an_unknown_provider_leads_to_the_log_in_page(graphql: GraphQL) -> None:
    begun = await Browser(graphql.client, provider="nowhere").begin()

    assert begun.headers["Location"] == f"{LOG_IN}?error=unknown_provider"


async def test_a_code_without_the_verifier_signs_no_one_in(
    graphql: GraphQL, browser: Browser
) -> None:
    """Log-in CSRF: an attacker's code in the browser of a victim."""
    code = await browser.code()
    victim = Browser(browser.client)
    answers = [await finish(graphql, victim, code, username="Countess") for _ in range(5)]
    dead = await finish(graphql, browser, code, username="Countess")

    assert {answer.code for answer in answers} == {"INVALID_CODE"}
    assert dead.code == "INVALID_CODE"


async def test_a_callback_belongs_to_the_browser_that_began(browser: Browser) -> None:
    begun = await browser.begin()
    other = Browser(browser.client)
    await other.begin()
    stolen = await other.come_back(begun)

    assert stolen.headers["Location"] == f"{LOG_IN}?error=invalid_sign_in"


@pytest.mark.parametrize(
    "cookie",
    ['"x\\015\\012Set-Cookie: a=b"', '"x\\073 Domain=example.com"', "x" * 4_000, "short"],
)
async def test_a_cookie_that_was_made_up_is_not_set_again(browser: Browser, cookie: str) -> None:
    browser.cookies["gatehouse-flow"] = cookie
    begun = await browser.begin()

    assert begun.status_code == 303
    [set_] = begun.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"gatehouse-flow=[\w-]{43}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", set_
    )


async def test_two_sign_ins_of_one_browser_have_one_cookie(browser: Browser) -> None:
    first, second = await browser.begin(), await browser.begin()

    for begun in (first, second):
        assert "code" in parameters_of(await browser.come_back(begun))


async def test_of_two_browsers_with_one_state_one_can_come_back(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    challenge = challenge_of(new_verifier())
    answer = await graphql(
        START_LINKING, by=ada, provider="work", redirectTo=SIGNED_IN, challenge=challenge
    )
    state = answer.data["startLinking"].partition("?state=")[2]
    sent = await asyncio.gather(
        *(Browser(graphql.client).get("/sign-in/work", {"state": state}) for _ in range(5))
    )

    errors = [parameters_of(one).get("error") for one in sent]
    assert sorted(errors, key=str) == [None, *["invalid_sign_in"] * 4]


async def test_a_made_up_state_does_not_wait_for_the_writer(
    services: Services, browser: Browser
) -> None:
    async with services.database.writing():
        begun = await browser.get("/sign-in/work", {"state": "x" * 64})
        back = await browser.get(
            f"/sign-in/{browser.provider}/callback", {"state": "x" * 64, "code": "x"}
        )

    assert {one.headers["Location"] for one in (begun, back)} == {f"{LOG_IN}?error=invalid_sign_in"}


async def test_a_browser_that_lost_its_cookies_comes_back(browser: Browser) -> None:
    begun = await browser.begin()
    browser.cookies.clear()

    assert "code" in parameters_of(await browser.come_back(begun))


async def test_a_callback_works_once(browser: Browser) -> None:
    begun = await browser.begin()
    await browser.come_back(begun)
    again = await browser.come_back(begun)

    assert again.headers["Location"] == f"{LOG_IN}?error=invalid_sign_in"


@pytest.mark.parametrize("state", ["", "made up", "A" * 64])
async def test_a_state_that_was_made_up_is_refused(browser: Browser, state: str) -> None:
    back = await browser.come_back(await browser.begin(), state=state)

    assert back.headers["Location"] == f"{LOG_IN}?error=invalid_sign_in"


async def test_the_answer_of_one_provider_is_none_of_another(browser: Browser) -> None:
    """A mix-up (RFC 9700 section 4.4)."""
    begun = await browser.begin()
    browser.provider = "other"
    mixed_up = await browser.come_back(begun)

    assert mixed_up.headers["Location"] == f"{LOG_IN}?error=invalid_sign_in"


async def test_another_issuer_in_the_callback_is_refused(browser: Browser) -> None:
    back = await browser.come_back(await browser.begin(), iss="https://evil.example")

    assert parameters_of(back) == {"error": "provider_invalid"}


async def test_a_user_who_declines_comes_back_with_an_error(browser: Browser) -> None:
    begun = await browser.begin()
    state = parameters_of(begun)["state"]
    query = {"state": state, "error": "access_denied", "error_description": "<script>"}
    back = await browser.get(f"/sign-in/{browser.provider}/callback", query)

    assert back.headers["Location"] == f"{SIGNED_IN}?error=access_denied"


async def test_a_provider_that_is_away_is_told_at_once_and_harms_nothing_else(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider, ada: RegisteredUser
) -> None:
    identity_provider.answers[METADATA] = lambda _: Response(503)
    begun = await browser.begin()

    assert begun.headers["Location"] == f"{SIGNED_IN}?error=provider_unavailable"
    assert (await graphql(IDENTITIES, by=ada)).errors == []


async def test_a_provider_that_refuses_is_an_error(
    browser: Browser, identity_provider: IdentityProvider
) -> None:
    begun = await browser.begin()
    identity_provider.answers[TOKEN] = lambda _: Response(400, b'{"error": "invalid_grant"}')
    back = await browser.come_back(begun)

    assert parameters_of(back) == {"error": "provider_refused"}


@pytest.mark.parametrize("endpoint", [TOKEN, KEYS, USERINFO])
async def test_a_provider_has_five_seconds_for_all_that_it_is_asked(
    services: Services,
    browser: Browser,
    identity_provider: IdentityProvider,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
) -> None:
    provider = services.providers["work"]
    begun = await browser.begin()
    before, provider.time_limit = provider.time_limit, 0.3
    identity_provider.claims = {"email": None}
    identity_provider.answers[endpoint] = lambda _: faults.hang
    back = await browser.come_back(begun)

    assert before == 4.5
    assert parameters_of(back) == {"error": "provider_unavailable"}
    assert "UNAVAILABLE: no complete answers within 0.3 seconds" in caplog.text


async def test_a_code_is_good_for_a_minute(
    graphql: GraphQL, services: Services, browser: Browser
) -> None:
    code = await browser.code()
    async with services.database.writing() as session:
        for ticket in await session.scalars(select(Ticket).where(Ticket.kind == "PROVIDER_CODE")):
            assert ticket.expires_at - ticket.created_at == timedelta(minutes=1)
            ticket.expires_at -= timedelta(minutes=1)

    assert (await finish(graphql, browser, code)).code == "INVALID_CODE"


async def test_no_row_has_what_a_reader_of_the_database_could_use(
    services: Services, browser: Browser
) -> None:
    begun = await browser.begin()
    await browser.come_back(begun)
    async with services.database.reading() as session:
        stored = str([vars(ticket) for ticket in await session.scalars(select(Ticket))])

    sent = parameters_of(begun)
    for secret in (sent["state"], sent["nonce"], browser.verifier, *browser.cookies.values()):
        assert secret not in stored


# ---- Linking ----


async def link(graphql: GraphQL, browser: Browser, by: RegisteredUser) -> Answer:
    code = await code_to_link(graphql, browser, by)
    return await graphql(FINISH_LINKING, by=by, code=code, verifier=browser.verifier)


async def code_to_link(graphql: GraphQL, browser: Browser, by: RegisteredUser) -> str:
    answer = await graphql(
        START_LINKING,
        by=by,
        provider="work",
        redirectTo=SIGNED_IN,
        challenge=challenge_of(browser.verifier),
    )
    assert answer.errors == []
    path, _, query = (
        answer.data["startLinking"].removeprefix("http://127.0.0.1:8000").partition("?state=")
    )
    begun = await browser.get(path, {"state": query})
    return parameters_of(await browser.come_back(begun))["code"]


async def test_a_signed_in_user_links_an_identity(
    graphql: GraphQL, browser: Browser, ada: RegisteredUser
) -> None:
    linked = await link(graphql, browser, ada)
    signed_in = await sign_in(graphql, browser)

    assert linked.data["finishLinking"]["provider"] == "work"
    assert signed_in.data["finishSignIn"]["user"]["id"] == ada.id


async def test_a_code_to_link_is_for_the_session_that_began(
    graphql: GraphQL, browser: Browser, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    """Linking CSRF: an attacker's code in the session of a victim."""
    code = await code_to_link(graphql, browser, ada)
    variables = {"code": code, "verifier": browser.verifier}

    assert (await graphql(FINISH_LINKING, by=grace, **variables)).code == "INVALID_CODE"
    assert (await finish(graphql, browser, code, username="Countess")).code == "INVALID_CODE"
    assert (await graphql(FINISH_LINKING, by=ada, **variables)).errors == []


async def test_an_identity_belongs_to_one_user(
    graphql: GraphQL, browser: Browser, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await link(graphql, browser, ada)
    again, taken = await link(graphql, browser, ada), await link(graphql, browser, grace)

    assert again.errors == []
    assert taken.code == "INVALID_INPUT"
    assert list(taken.fields) == ["code"]


async def test_the_last_way_in_cannot_be_unlinked(graphql: GraphQL, browser: Browser) -> None:
    token = (await sign_in(graphql, browser, username="Countess")).data["finishSignIn"]
    [identity] = (await graphql(IDENTITIES, by=token["accessToken"])).data["me"]["identities"]
    last = await graphql(UNLINK, by=token["accessToken"], id=identity["id"])
    set_ = await graphql(SET_PASSWORD, by=token["accessToken"], new="difference engine")
    new = set_.data["setPassword"]["accessToken"]
    unlinked = await graphql(UNLINK, by=new, id=identity["id"])

    assert last.code == "INVALID_INPUT"
    assert unlinked.data["unlink"] == identity["id"]
    assert (await graphql(IDENTITIES, by=new)).data["me"]["identities"] == []


async def test_a_provider_that_has_left_the_settings_is_no_way_in(
    graphql: GraphQL, browser: Browser, identity_provider: IdentityProvider, services: Services
) -> None:
    token = (await sign_in(graphql, browser, username="Countess")).data["finishSignIn"]
    identity_provider.user["sub"] = "another"
    await sign_in(graphql, browser)
    async with services.database.writing() as session:
        of_another = update(Identity).where(Identity.subject == "another")
        await session.execute(of_another.values(provider="gone"))
    identities = (await graphql(IDENTITIES, by=token["accessToken"])).data["me"]["identities"]
    work, gone = identities
    last = await graphql(UNLINK, by=token["accessToken"], id=work["id"])
    other = await graphql(UNLINK, by=token["accessToken"], id=gone["id"])

    assert [one["provider"] for one in identities] == ["work", "gone"]
    assert last.code == "INVALID_INPUT"
    assert other.errors == []


async def test_an_identity_of_another_user_cannot_be_unlinked(
    graphql: GraphQL, browser: Browser, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    linked = (await link(graphql, browser, ada)).data["finishLinking"]

    assert (await graphql(UNLINK, by=grace, id=linked["id"])).code == "NOT_FOUND"


async def test_a_verifier_is_needed_in_its_format(graphql: GraphQL, browser: Browser) -> None:
    code = await browser.code()
    for verifier in ("", "short", "x" * 129, new_verifier()):
        answer = await finish(graphql, browser, code, verifier=verifier)
        assert answer.code == "INVALID_CODE"


async def test_an_unconfigured_server_has_no_such_routes(client: httpx.AsyncClient) -> None:
    assert (await client.get("/sign-in/nowhere/at/all")).status_code == 404
