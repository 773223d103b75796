"""GitHub, which has OAuth without OpenID Connect: no ID token, and a user by its REST API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.providers import claims, token_endpoint
from domain.providers.answer import Answer
from domain.providers.endpoints import with_query
from domain.providers.http import HttpClient
from domain.providers.provider import Profile, Provider, ProviderError
from domain.providers.token_endpoint import Credentials

ISSUER = "https://github.com"
API = "https://api.github.com"

# For the list of emails. The rest that is needed is public.
DEFAULT_SCOPES = "user:email"

_JSON = "application/vnd.github+json"

_WITHOUT_A_USER = (401, 403, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubClient:
    """How Gatehouse is registered with GitHub or a GitHub Enterprise Server, whose addresses are
    ``issuer`` and ``api``."""

    name: str
    label: str
    client_id: str
    secret: str = field(repr=False)
    scopes: str = DEFAULT_SCOPES
    issuer: str = ISSUER
    api: str = API


class GitHubProvider(Provider):
    form_post = False

    def __init__(self, client: GitHubClient, http: HttpClient) -> None:
        self.name, self.label = client.name, client.label
        self._client = client
        self._http = http
        # The base of its endpoints, and what it sends as `iss`.
        self._oauth = f"{client.issuer}/login/oauth"

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, code_challenge: str
    ) -> str:
        # There is no ID token that could have the nonce. PKCE binds the code instead.
        parameters = {
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scopes,
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return with_query(f"{self._oauth}/authorize", parameters)

    async def profile(
        self, *, code: str, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Profile:
        if issuer not in (None, self._oauth):
            raise ProviderError.invalid("callback: `iss` is another issuer")
        tokens = await token_endpoint.exchange(
            self._http,
            f"{self._oauth}/access_token",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            credentials=Credentials(self._client.client_id, self._client.secret),
        )
        bearer = token_endpoint.access_token(tokens)
        user = (await self._read("user", bearer)).json_object()
        emails = (await self._read("user/emails?per_page=100", bearer)).json_array()
        email, email_verified = _primary(emails)
        return Profile(
            issuer=self._client.issuer,
            subject=_subject(user),
            email=email,
            email_verified=email_verified,
            name_hint=claims.name_hint({"nickname": user.get("login")}),
        )

    async def check(self) -> None:
        answer = await self._http.get("API", f"{self._client.api}/", accept=_JSON)
        # A server in private mode shows nothing without a user, and each address may ask some times
        # an hour. It has answered all the same.
        if answer.status not in _WITHOUT_A_USER:
            answer.require_success()

    async def close(self) -> None:
        await self._http.close()

    async def _read(self, path: str, bearer: str) -> Answer:
        source = path.partition("?")[0]
        answer = await self._http.get(
            source, f"{self._client.api}/{path}", accept=_JSON, bearer=bearer
        )
        answer.require_success()
        return answer


def _subject(user: dict[str, Any]) -> str:
    """Return the number of a user, who may change the name, and give it to another."""
    number = user.get("id")
    if type(number) is not int or not 0 < number < 2**63:
        raise ProviderError.invalid("user: `id` is missing or not a number")
    return str(number)


def _primary(emails: Sequence[Any]) -> tuple[str | None, bool]:
    """Return the primary email, and whether it is verified."""
    for entry in emails:
        if isinstance(entry, dict) and entry.get("primary") is True:
            email = claims.email_of(entry)
            return email, email is not None and entry.get("verified") is True
    return None, False
