"""What is known of each provider: Apple, GitHub, Google, Microsoft, and any other by its issuer."""

import re
from collections.abc import Callable
from dataclasses import replace

from domain.providers import apple, claims, github, oidc
from domain.providers import issuer as issuers
from domain.providers.config import InvalidProvider, ProviderConfig
from domain.providers.discovery import WELL_KNOWN
from domain.providers.endpoints import is_secure
from domain.providers.github import GitHubClient, GitHubProvider
from domain.providers.http import HttpClient
from domain.providers.jwts import SigningKey
from domain.providers.oidc import OpenIdClient, OpenIdProvider
from domain.providers.provider import Provider
from domain.providers.token_endpoint import BASIC, POST, Authentication

GOOGLE = "https://accounts.google.com"
MICROSOFT = "https://login.microsoftonline.com/common/v2.0"

# The tenants that are not one: of any company, of any company or person, and of persons.
_MICROSOFT_TENANTS = {
    "common": issuers.TENANT,
    "organizations": issuers.TENANT,
    "consumers": "9188040d-6c67-4c5b-b112-36a304b66dad",
}

# With the id of a tenant, it fits into 255 characters.
MAX_ISSUER_LENGTH = 200

# It is a part of addresses and of the names of settings.
_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")


def provider_of(config: ProviderConfig, http: HttpClient | None = None) -> Provider:
    """Return the provider. Raises InvalidProvider."""
    client = client_of(config)
    http = http or HttpClient()
    if isinstance(client, GitHubClient):
        return GitHubProvider(client, http)
    return OpenIdProvider(client, http)


def client_of(config: ProviderConfig) -> OpenIdClient | GitHubClient:
    """Return what is configured, completed by what is known. Raises InvalidProvider."""
    if not _NAME.fullmatch(config.name):
        raise InvalidProvider("the name must have 1 to 32 lower-case letters and digits")
    if not config.client_id:
        raise InvalidProvider("the client id is missing")
    issuer = config.issuer
    if issuer is not None and (not is_secure(issuer) or "?" in issuer):
        raise InvalidProvider("the issuer must be an https address")
    if issuer is not None and len(issuer) > MAX_ISSUER_LENGTH:
        raise InvalidProvider(f"the issuer must have at most {MAX_ISSUER_LENGTH} characters")
    client = _PRESETS.get(config.name, _generic)(config)
    if isinstance(client, OpenIdClient) and "openid" not in client.scopes.split():
        raise InvalidProvider("the scopes must include openid")
    return client


def _generic(config: ProviderConfig) -> OpenIdClient:
    if config.issuer is None:
        raise InvalidProvider("the issuer is missing")
    secret = config.client_secret
    return OpenIdClient(
        name=config.name,
        label=config.label or config.name.capitalize(),
        issuer=config.issuer,
        client_id=config.client_id,
        secret=(lambda: secret) if secret else None,
        scopes=config.scopes or oidc.DEFAULT_SCOPES,
        authentication=_authentication(config.authentication),
    )


def _google(config: ProviderConfig) -> OpenIdClient:
    _require_secret(config)
    return _generic(replace(config, issuer=config.issuer or GOOGLE))


def _microsoft(config: ProviderConfig) -> OpenIdClient:
    _require_secret(config)
    url = config.issuer or MICROSOFT
    found = re.fullmatch(r"(https?://[^/]+)/([^/]+)/v2\.0", url)
    if not found:
        raise InvalidProvider(f"the issuer must be like {MICROSOFT}")
    host, tenant = found.groups()
    return replace(
        _generic(replace(config, issuer=f"{host}/{_MICROSOFT_TENANTS.get(tenant, tenant)}/v2.0")),
        metadata_url=url + WELL_KNOWN,
        email_rule=claims.MICROSOFT_EMAIL_VERIFIED,
    )


def _apple(config: ProviderConfig) -> OpenIdClient:
    if not (config.team_id and config.key_id and config.private_key):
        raise InvalidProvider("the team id, the key id or the private key is missing")
    try:
        key = SigningKey(config.private_key, config.key_id)
    except ValueError as error:
        raise InvalidProvider(str(error)) from None
    return replace(
        _generic(replace(config, issuer=apple.ISSUER)),
        secret=apple.ClientSecret(client_id=config.client_id, team_id=config.team_id, key=key),
        scopes=config.scopes or apple.SCOPES,
        # Apple requires it for any scope.
        form_post=True,
        metadata=apple.METADATA,
    )


def _github(config: ProviderConfig) -> GitHubClient:
    issuer = (config.issuer or github.ISSUER).removesuffix("/")
    return GitHubClient(
        name=config.name,
        label=config.label or "GitHub",
        client_id=config.client_id,
        secret=_require_secret(config),
        scopes=config.scopes or github.DEFAULT_SCOPES,
        issuer=issuer,
        # A GitHub Enterprise Server has its API below its own address.
        api=github.API if issuer == github.ISSUER else f"{issuer}/api/v3",
    )


_PRESETS: dict[str, Callable[[ProviderConfig], OpenIdClient | GitHubClient]] = {
    "apple": _apple,
    "github": _github,
    "google": _google,
    "microsoft": _microsoft,
}


def _require_secret(config: ProviderConfig) -> str:
    if not config.client_secret:
        raise InvalidProvider("the client secret is missing")
    return config.client_secret


def _authentication(method: str | None) -> Authentication | None:
    if method not in (None, BASIC, POST):
        raise InvalidProvider(f"the authentication must be {BASIC} or {POST}")
    return method
