"""Providers that speak OpenID Connect, with the authorization code flow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.providers import claims as user_claims
from domain.providers import id_tokens, jwts, token_endpoint
from domain.providers import issuer as issuers
from domain.providers.discovery import Discovery
from domain.providers.endpoints import with_query
from domain.providers.http import HttpClient
from domain.providers.metadata import Metadata
from domain.providers.provider import Profile, Provider, ProviderError
from domain.providers.token_endpoint import BASIC, POST, Authentication, Credentials

DEFAULT_SCOPES = "openid email profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdClient:
    """How Gatehouse is registered with a provider, and what is special about that provider.

    ``secret`` returns the secret of one exchange; without it the client is a public one. Without
    ``authentication``, the metadata decide. ``email_rule`` says which claim and which values of it
    mean that the email is verified. ``metadata_url`` and ``metadata`` are those of `Discovery`.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    secret: Callable[[], str] | None
    scopes: str = DEFAULT_SCOPES
    form_post: bool = False
    authentication: Authentication | None = None
    email_rule: tuple[str, tuple[object, ...]] = user_claims.EMAIL_VERIFIED
    metadata_url: str | None = None
    metadata: Metadata | None = None


class OpenIdProvider(Provider):
    def __init__(self, client: OpenIdClient, http: HttpClient) -> None:
        self.name, self.label, self.form_post = client.name, client.label, client.form_post
        self._client = client
        self._http = http
        self._discovery = Discovery(
            http, client.issuer, url=client.metadata_url, metadata=client.metadata
        )

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, code_challenge: str
    ) -> str:
        metadata = await self._discovery.metadata()
        parameters = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        if self.form_post:
            parameters["response_mode"] = "form_post"
        return with_query(metadata.authorization_endpoint, parameters)

    async def profile(
        self, *, code: str, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Profile:
        metadata = await self._discovery.metadata()
        _check_callback_issuer(metadata, issuer)
        tokens = await token_endpoint.exchange(
            self._http,
            metadata.token_endpoint,
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            credentials=self._credentials(metadata),
        )
        claims = await self._verified(tokens.get("id_token"), metadata, nonce)
        about_user = claims
        if metadata.userinfo_endpoint and claims.get("email") is None and self._asks_for_email:
            about_user = await self._userinfo(metadata.userinfo_endpoint, tokens, claims["sub"])
        email = user_claims.email_of(about_user)
        return Profile(
            issuer=claims["iss"],
            subject=claims["sub"],
            email=email,
            # Of the same document: the email of one is not verified by the other.
            email_verified=email is not None
            and user_claims.is_verified(about_user, self._client.email_rule),
            name_hint=user_claims.name_hint(claims) or user_claims.name_hint(about_user),
        )

    async def check(self) -> None:
        metadata = await self._discovery.metadata()
        if not jwts.ALGORITHMS.keys() & metadata.signing_algorithms:
            raise ProviderError.invalid("metadata: no algorithm of ID tokens is a usable one")
        await self._discovery.keys()

    async def close(self) -> None:
        await self._discovery.close()
        await self._http.close()

    @property
    def _asks_for_email(self) -> bool:
        return "email" in self._client.scopes.split()

    def _credentials(self, metadata: Metadata) -> Credentials:
        client_id, secret = self._client.client_id, self._client.secret
        if secret is None:
            return Credentials(client_id)
        methods = metadata.token_endpoint_auth_methods
        default = BASIC if BASIC in methods or POST not in methods else POST
        return Credentials(client_id, secret(), self._client.authentication or default)

    async def _verified(self, token: object, metadata: Metadata, nonce: str) -> dict[str, Any]:
        """Return the claims of a valid ID token."""
        if not isinstance(token, str):
            raise ProviderError.invalid(f"{token_endpoint.SOURCE}: `id_token` is missing")
        algorithms = metadata.signing_algorithms
        try:
            keys = await self._discovery.keys()
            claims, key = jwts.verify(token, keys, algorithms=algorithms)
        except jwts.UnknownKey:
            keys = await self._discovery.renewed_keys()
            claims, key = jwts.verify(token, keys, algorithms=algorithms)
        id_tokens.check(
            claims, issuer=metadata.issuer, client_id=self._client.client_id, nonce=nonce
        )
        id_tokens.check_key(claims, key)
        return claims

    async def _userinfo(self, url: str, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Return the claims of the userinfo endpoint about the same user."""
        bearer = token_endpoint.access_token(tokens)
        answer = await self._http.get("userinfo", url, bearer=bearer)
        answer.require_success()
        found = answer.json_object()
        if found.get("sub") != subject:
            # OpenID Connect Core section 5.3.2.
            raise ProviderError.invalid("userinfo: `sub` is another user's")
        return found


def _check_callback_issuer(metadata: Metadata, issuer: str | None) -> None:
    """Raise ProviderError if another provider sent the callback (RFC 9207 section 2.4)."""
    if issuer is None:
        if metadata.sends_issuer:
            raise ProviderError.invalid("callback: `iss` is missing")
    # Also without the promise to send it: Google does.
    elif not issuers.is_of(metadata.issuer, issuer):
        raise ProviderError.invalid("callback: `iss` is another issuer")
