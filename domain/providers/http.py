"""Requests to a provider."""

import ssl
from collections.abc import Mapping

from domain import http
from domain.http import RequestFailed
from domain.providers.answer import Answer
from domain.providers.endpoints import is_secure
from domain.providers.provider import ProviderError

# In seconds, of a whole request: connecting, sending, and reading the answer. A browser that waits
# for it is back within five.
TIMEOUT = 4.5

# Of a body that is decompressed.
MAX_BODY_BYTES = 2**20


class HttpClient(http.HttpClient):
    """Sends the requests of one provider, so that no other waits for its connections."""

    def __init__(self, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(timeout=timeout, max_body=MAX_BODY_BYTES, tls=tls)

    async def get(
        self, source: str, url: str, *, accept: str = "application/json", bearer: str | None = None
    ) -> Answer:
        """Read an address. ``source`` names it in the reasons of errors. Raises ProviderError."""
        headers = {"Accept": accept}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self._answer(source, "GET", url, headers=headers)

    async def post(
        self,
        source: str,
        url: str,
        form: Mapping[str, str],
        *,
        basic: tuple[str, str] | None = None,
    ) -> Answer:
        """Post a form, with a user and a password if ``basic`` is given. Raises ProviderError."""
        headers = {"Accept": "application/json"}
        return await self._answer(source, "POST", url, headers=headers, form=form, basic=basic)

    async def _answer(
        self,
        source: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> Answer:
        if not is_secure(url):
            raise ProviderError.invalid(f"{source}: its address is not https")
        try:
            response = await self.send(method, url, headers=headers, form=form, basic=basic)
        except RequestFailed as error:
            raise ProviderError.unavailable(f"{source}: {error}") from None
        content_type = response.headers.get("Content-Type", "")
        return Answer(source, response.status, content_type, response.body)
