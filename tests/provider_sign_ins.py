"""Signing in with a provider, as a frontend and its browser do."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from domain.providers.pkce import challenge_of, new_verifier
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, visit
from tests.operations import FINISH_SIGN_IN
from tests.users import Answer, GraphQL

#: The address of the frontend.
SIGNED_IN = "https://app.example.com/signed-in"


def settings_of(identity_provider: IdentityProvider, *names: str) -> dict[str, Any]:
    """Return the settings of providers with these names, by default `work`: all are this one."""
    one = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "issuer": identity_provider.issuer,
    }
    names = names or ("work",)
    return {
        "providers": names,
        "provider_settings": dict.fromkeys(names, one),
        "redirect_allowlist": (SIGNED_IN,),
    }


@dataclass
class Browser:
    """A browser with its cookies, and the verifier that the frontend keeps in it."""

    client: httpx.AsyncClient
    provider: str = "work"
    redirect_to: str = SIGNED_IN
    verifier: str = field(default_factory=new_verifier)
    cookies: dict[str, str] = field(default_factory=dict)

    async def begin(self, **changes: str) -> httpx.Response:
        """Go to the provider. ``changes`` replace parameters."""
        query = {
            "redirect_to": self.redirect_to,
            "code_challenge": challenge_of(self.verifier),
        } | changes
        return await self.get(f"/sign-in/{self.provider}", query)

    async def come_back(self, begun: httpx.Response, **changes: str) -> httpx.Response:
        """Sign in at the provider, and follow its callback."""
        assert begun.status_code == 303
        callback = await visit(begun.headers["Location"])
        return await self.get(f"/sign-in/{self.provider}/callback", callback | changes)

    async def code(self) -> str:
        """Return the code that the frontend gets."""
        back = parameters_of(await self.come_back(await self.begin()))
        return back["code"]

    async def get(self, path: str, query: dict[str, str]) -> httpx.Response:
        headers = {"Cookie": "; ".join(f"{name}={self.cookies[name]}" for name in self.cookies)}
        response = await self.client.get(path, params=query, headers=headers)
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response


async def finish(graphql: GraphQL, browser: Browser, code: str, **variables: Any) -> Answer:
    """Exchange a code for tokens."""
    return await graphql(FINISH_SIGN_IN, code=code, **{"verifier": browser.verifier, **variables})


async def sign_in(graphql: GraphQL, browser: Browser, **variables: Any) -> Answer:
    """Go to the provider and back, and exchange the code."""
    return await finish(graphql, browser, await browser.code(), **variables)


def parameters_of(response: httpx.Response) -> dict[str, str]:
    """Return the parameters of the address that a browser is sent to."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))
