"""The metadata of a provider (OpenID Connect Discovery 1.0 section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from domain.providers.endpoints import is_secure
from domain.providers.provider import ProviderError

SOURCE = "metadata"

# Of the lists in it: longer ones are not read to their end.
_MAX_NAMES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    #: Of ID tokens, as the provider lists them.
    signing_algorithms: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods: tuple[str, ...] = ("client_secret_basic",)
    #: Whether every callback has the parameter `iss` (RFC 9207).
    sends_issuer: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any], *, issuer: str) -> Self:
        """Return the metadata of the issuer. Raises ProviderError.

        The issuer must be the configured one, letter by letter (section 4.3): otherwise a provider
        could speak for another.
        """
        if document.get("issuer") != issuer:
            named = ascii(document.get("issuer"))[:200]
            raise ProviderError.invalid(f"{SOURCE}: the issuer is {named} instead of {issuer!r}")
        return cls(
            issuer=issuer,
            authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
            token_endpoint=_endpoint(document, "token_endpoint", issuer),
            jwks_uri=_endpoint(document, "jwks_uri", issuer),
            userinfo_endpoint=(
                _endpoint(document, "userinfo_endpoint", issuer)
                if document.get("userinfo_endpoint") is not None
                else None
            ),
            signing_algorithms=_names(
                document, "id_token_signing_alg_values_supported", default="RS256"
            ),
            token_endpoint_auth_methods=_names(
                document, "token_endpoint_auth_methods_supported", default="client_secret_basic"
            ),
            sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        )


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ProviderError.invalid(f"{SOURCE}: `{name}` is missing")
    # Plain http is for a provider on this machine. The metadata of any other must not make us
    # request what listens here.
    is_downgrade = urlsplit(issuer).scheme == "https" and urlsplit(value).scheme != "https"
    if is_downgrade or not is_secure(value):
        raise ProviderError.invalid(f"{SOURCE}: `{name}` is not an https address")
    return value


def _names(document: Mapping[str, Any], name: str, *, default: str) -> tuple[str, ...]:
    values = document.get(name)
    if values is None:
        return (default,)
    if not isinstance(values, list):
        raise ProviderError.invalid(f"{SOURCE}: `{name}` is not a list")
    return tuple(value for value in values[:_MAX_NAMES] if isinstance(value, str))
