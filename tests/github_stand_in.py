"""GitHub's OAuth and the routes of its REST API, as GitHub documents them, on a real socket."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from domain.providers.config import ProviderConfig
from tests import jwts
from tests.fault_server import Fault, FaultServer, Request, Response, json_response, redirect

# Those of a GitHub Enterprise Server. Of github.com, the API is on a host of its own.
AUTHORIZE, TOKEN, ROOT, USER, EMAILS = (
    "/login/oauth/authorize",
    "/login/oauth/access_token",
    "/api/v3/",
    "/api/v3/user",
    "/api/v3/user/emails",
)

CLIENT_ID, CLIENT_SECRET = "Iv1.8a61f9b3a7aba766", "a github secret"

ADA = {"id": 583231, "login": "ada", "name": "Ada Lovelace", "email": "public@example.com"}


def entry(email: str, *, primary: bool = False, verified: bool = True) -> dict[str, Any]:
    return {"email": email, "primary": primary, "verified": verified, "visibility": None}


@dataclass
class GitHub(FaultServer):
    """GitHub with one user. ``sends_issuer`` is how it has behaved since April 2026."""

    user: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    emails: list[Any] = field(default_factory=lambda: [entry("Ada@Example.com", primary=True)])
    sends_issuer: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access_tokens: set[str] = field(default_factory=set)

    def config(self, **others: Any) -> ProviderConfig:
        values = {
            "name": "github",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "issuer": self.url,
        }
        return ProviderConfig(**values | others)

    def answer(self, request: Request) -> Response | Fault:
        answers: dict[str, Callable[[Request], Response]] = {
            AUTHORIZE: self._authorize,
            TOKEN: self._token,
            ROOT: lambda _: json_response({}),
            USER: lambda request: self._api(request, self.user),
            EMAILS: lambda request: self._api(request, self.emails),
        }
        return answers[request.path](request) if request.path in answers else Response(404)

    def _authorize(self, request: Request) -> Response:
        wanted = request.query
        assert wanted["client_id"] == CLIENT_ID
        assert wanted["code_challenge_method"] == "S256"
        code = secrets.token_hex(10)
        self.codes[code] = wanted
        answer = {"code": code, "state": wanted["state"]}
        if self.sends_issuer:
            answer["iss"] = f"{self.url}/login/oauth"
        return redirect(f"{wanted['redirect_uri']}?{urlencode(answer)}")

    def _token(self, request: Request) -> Response:
        form = request.form
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _error("incorrect_client_credentials")
        wanted = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if wanted is None or wanted["code_challenge"] != jwts.encode(digest):
            return _error("bad_verification_code")
        if wanted["redirect_uri"] != form.get("redirect_uri"):
            return _error("redirect_uri_mismatch")
        token = f"gho_{secrets.token_hex(18)}"
        self.access_tokens.add(token)
        answer = {"access_token": token, "token_type": "bearer", "scope": wanted["scope"]}
        if request.headers.get("accept") != "application/json":
            body = urlencode(answer).encode()
            return Response(200, body, {"Content-Type": "application/x-www-form-urlencoded"})
        return json_response(answer)

    def _api(self, request: Request, value: Any) -> Response:
        if "user-agent" not in request.headers:
            return Response(403)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.access_tokens:
            return json_response({"message": "Bad credentials"}, 401)
        return json_response(value)


def _error(code: str) -> Response:
    """Return an error as GitHub does: with status 200."""
    return json_response({"error": code, "error_description": "foreign", "error_uri": "foreign"})
