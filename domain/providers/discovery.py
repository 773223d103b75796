"""The metadata and the keys of a provider, as it publishes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.providers.cached import Cached
from domain.providers.http import HttpClient
from domain.providers.metadata import SOURCE, Metadata
from domain.providers.provider import ProviderError

WELL_KNOWN = "/.well-known/openid-configuration"

# Providers publish two or three. Further ones are not read.
MAX_KEYS = 100

PublicKeys = Sequence[Mapping[str, Any]]


class Discovery:
    """Reads metadata and keys when they are needed, and keeps them for an hour.

    The metadata are read from ``url``, by default the well-known address of the issuer. With
    ``metadata``, those hold and none are read.
    """

    def __init__(
        self,
        http: HttpClient,
        issuer: str,
        *,
        url: str | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        self._http = http
        self._issuer = issuer
        # Without a terminating slash (OpenID Connect Discovery section 4.1).
        self._url = url or issuer.removesuffix("/") + WELL_KNOWN
        self._fixed = metadata
        self._metadata = Cached(self._read_metadata)
        self._keys = Cached(self._read_keys)

    async def metadata(self) -> Metadata:
        """Raise ProviderError if they cannot be read or are not those of the issuer."""
        return self._fixed or await self._metadata.get()

    async def keys(self) -> PublicKeys:
        """Return the JWKs, as they are published. Raises ProviderError."""
        return await self._keys.get()

    async def renewed_keys(self) -> PublicKeys:
        """Return the JWKs of the last minute: for a token whose key is not known.

        Raises ProviderError.
        """
        return await self._keys.renewed()

    async def close(self) -> None:
        await self._metadata.close()
        await self._keys.close()

    async def _read_metadata(self) -> Metadata:
        answer = await self._http.get(SOURCE, self._url)
        answer.require_success()
        return Metadata.parse(answer.json_object(), issuer=self._issuer)

    async def _read_keys(self) -> PublicKeys:
        metadata = await self.metadata()
        answer = await self._http.get("keys", metadata.jwks_uri)
        answer.require_success()
        keys = answer.json_object().get("keys")
        if not isinstance(keys, list):
            raise ProviderError.invalid("keys: `keys` is not a list")
        return [key for key in keys[:MAX_KEYS] if isinstance(key, dict)]
