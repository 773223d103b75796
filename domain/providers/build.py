"""Build a provider from its configuration, and import only then what takes time."""

from typing import TYPE_CHECKING

from domain.providers.config import ProviderConfig
from domain.providers.provider import Provider

if TYPE_CHECKING:
    from domain.providers.http import HttpClient


def build_provider(config: ProviderConfig, http: "HttpClient | None" = None) -> Provider:
    """Return the provider, with a client of its own unless one is given. Raises InvalidProvider."""
    # Imported here: httpx2 and joserfc take a tenth of a second, and most servers have no provider.
    from domain.providers.presets import provider_of

    return provider_of(config, http)
