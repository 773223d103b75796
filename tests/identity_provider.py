"""An OpenID provider of our own, on a real socket, that a test can turn hostile in every way.

It approves every request at once, as a provider does where the user is already signed in.
"""

import base64
import hashlib
import html
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import httpx

from domain.providers import Profile, Provider
from domain.providers.config import ProviderConfig
from domain.providers.http import HttpClient
from domain.providers.oidc import OpenIdClient, OpenIdProvider
from domain.providers.pkce import challenge_of, new_verifier
from domain.providers.presets import client_of
from tests import jwts
from tests.fault_server import (
    Answerer,
    Fault,
    FaultServer,
    Request,
    Response,
    json_response,
    redirect,
)
from tests.jwts import SigningKey

METADATA, KEYS, AUTHORIZE, TOKEN, USERINFO = (
    "/.well-known/openid-configuration",
    "/jwks",
    "/authorize",
    "/token",
    "/userinfo",
)

CLIENT_ID = "gatehouse"
# With characters that are encoded in a header.
CLIENT_SECRET = "a secret: of/Gatehouse+100%"

# An address that nothing is sent to: `visit` reads the callback's parameters from it.
REDIRECT_URI = "http://gatehouse.test/callback"

ADA = {
    "sub": "248289761001",
    "email": "Ada@Example.com",
    "email_verified": True,
    "preferred_username": "ada",
    "name": "Ada Lovelace",
}


@dataclass
class IdentityProvider(FaultServer):
    """A provider that knows one user and one client.

    ``metadata`` changes what is published, and removes what is None. ``id_token`` makes the token
    from its claims. ``published`` are the keys, and ``signs_with`` is the one that signs.
    ``answers`` replaces the answer of a path (see `FaultServer`).
    """

    user: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    issuer_path: str = ""
    published: list[SigningKey] = field(default_factory=lambda: [jwts.key("first")])
    signs_with: SigningKey = field(default_factory=lambda: jwts.key("first"))
    metadata: dict[str, Any] = field(default_factory=dict)
    #: Claims that the ID token has in addition, or not if they are None.
    claims: dict[str, Any] = field(default_factory=dict)
    id_token: Callable[[dict[str, Any]], Any] | None = None
    client_secret: str | None = CLIENT_SECRET
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access_tokens: set[str] = field(default_factory=set)

    @property
    def issuer(self) -> str:
        return self.url + self.issuer_path

    def config(self, **others: Any) -> ProviderConfig:
        """Return how an operator configures this provider."""
        values = {
            "name": "work",
            "client_id": CLIENT_ID,
            "client_secret": self.client_secret,
            "issuer": self.issuer,
        }
        return ProviderConfig(**values | others)

    def answer(self, request: Request) -> Response | Fault:
        answers: dict[str, Callable[[Request], Response]] = {
            METADATA: lambda _: json_response(self._metadata()),
            KEYS: lambda _: json_response({"keys": [key.jwk() for key in self.published]}),
            AUTHORIZE: self._authorize,
            TOKEN: self._token,
            USERINFO: self._userinfo,
        }
        path = request.path
        if path == self.issuer_path.removesuffix("/") + METADATA:
            path = METADATA
        return answers[path](request) if path in answers else Response(404)

    def as_of(self, path: str) -> Answerer:
        """Return what answers another path as this one is answered."""
        return lambda request: self.answer(replace(request, path=path))

    def is_client(self, request: Request) -> bool:
        """Return whether a request to the token endpoint has the right secret."""
        if self.client_secret is None:
            return request.form.get("client_id") == CLIENT_ID
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        given = (request.form.get("client_id", ""), request.form.get("client_secret", ""))
        if scheme == "Basic":
            user, _, password = base64.b64decode(credentials).decode().partition(":")
            given = (unquote_plus(user), unquote_plus(password))
        return given == (CLIENT_ID, self.client_secret)

    def _metadata(self) -> dict[str, Any]:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": self.url + AUTHORIZE,
            "token_endpoint": self.url + TOKEN,
            "jwks_uri": self.url + KEYS,
            "userinfo_endpoint": self.url + USERINFO,
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return {name: value for name, value in document.items() if value is not None}

    def _authorize(self, request: Request) -> Response:
        wanted = request.query
        assert wanted["response_type"] == "code"
        assert wanted["client_id"] == CLIENT_ID
        assert wanted["code_challenge_method"] == "S256"
        assert "openid" in wanted["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = wanted
        answer = {"code": code, "state": wanted["state"], "iss": self.issuer}
        if wanted.get("response_mode") == "form_post":
            return _form(wanted["redirect_uri"], answer)
        separator = "&" if "?" in wanted["redirect_uri"] else "?"
        return redirect(f"{wanted['redirect_uri']}{separator}{urlencode(answer)}", 303)

    def _token(self, request: Request) -> Response:
        if not self.is_client(request):
            return json_response({"error": "invalid_client"}, 401)
        # A code works once.
        wanted = self.codes.pop(request.form.get("code", ""), None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        if (
            wanted is None
            or request.form.get("grant_type") != "authorization_code"
            or wanted["redirect_uri"] != request.form.get("redirect_uri")
            or wanted["code_challenge"] != jwts.encode(digest)
        ):
            return json_response({"error": "invalid_grant", "error_description": "foreign"}, 400)
        access_token = secrets.token_urlsafe(16)
        self.access_tokens.add(access_token)
        tokens = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self._id_token(wanted),
        }
        return json_response({name: value for name, value in tokens.items() if value is not None})

    def _id_token(self, wanted: dict[str, str]) -> Any:
        now = int(time.time())
        complete = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": wanted["nonce"],
            **self.user,
            **self.claims,
        }
        claims = {name: value for name, value in complete.items() if value is not None}
        return self.id_token(claims) if self.id_token else jwts.signed(claims, self.signs_with)

    def _userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return json_response(self.user) if token in self.access_tokens else Response(401)


def _form(action: str, values: dict[str, str]) -> Response:
    """Return the page that posts the answer (OAuth 2.0 Form Post Response Mode)."""
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in values.items()
    )
    page = (
        '<!doctype html><body onload="document.forms[0].submit()">'
        f'<form method="post" action="{html.escape(action)}">{inputs}</form>'
    )
    return Response(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def provider_with(config: ProviderConfig, **changes: Any) -> Provider:
    """Return our client of a provider whose preset is changed so that it leads to a test's."""
    client = client_of(config)
    assert isinstance(client, OpenIdClient)
    return OpenIdProvider(replace(client, **changes), HttpClient())


async def visit(url: str) -> dict[str, str]:
    """Follow an authorization address as a browser does, and return what the callback is sent."""
    # Without certificates, which take longer to load than everything else.
    async with httpx.AsyncClient(verify=False) as browser:
        answer = await browser.get(url)
    if answer.status_code == 200:
        inputs = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
        return {name: html.unescape(value) for name, value in inputs}
    assert answer.status_code in (302, 303), answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def sign_in(provider: Provider, **changes: str | None) -> Profile:
    """Sign in, and return what the provider says. ``changes`` replace arguments of `profile`."""
    verifier, nonce, state = new_verifier(), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    url = await provider.authorization_url(
        redirect_uri=REDIRECT_URI,
        state=state,
        nonce=nonce,
        code_challenge=challenge_of(verifier),
    )
    callback = await visit(url)
    assert callback["state"] == state
    arguments: dict[str, Any] = {
        "code": callback["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
        "nonce": nonce,
        "issuer": callback.get("iss"),
    }
    return await provider.profile(**arguments | changes)
