"""Clients of identity providers: OpenID Connect, and GitHub's OAuth.

They know protocols, and nothing of accounts.
"""

from domain.providers.build import build_provider
from domain.providers.config import InvalidProvider, ProviderConfig
from domain.providers.provider import (
    MAX_PROVIDERS,
    Profile,
    Provider,
    ProviderError,
    ProviderFailure,
)

__all__ = [
    "MAX_PROVIDERS",
    "InvalidProvider",
    "Profile",
    "Provider",
    "ProviderConfig",
    "ProviderError",
    "ProviderFailure",
    "build_provider",
]
