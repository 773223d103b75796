"""Requests to a provider, with limits. The only file that imports httpx2."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from domain.providers.answer import Answer
from domain.providers.endpoints import is_secure
from domain.providers.provider import ProviderError

# In seconds, of a whole request: connecting, sending, and reading the answer. A browser that waits
# for it is back within five.
TIMEOUT = 4.5

# Of a body that is decompressed.
MAX_BODY_BYTES = 2**20

# At the same time. Others wait for their turn, within the timeout.
MAX_CONNECTIONS = 20


class HttpClient:
    """Sends the requests of one provider, so that no other waits for its connections."""

    def __init__(self, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None) -> None:
        self.timeout = timeout
        self._connect_timeout = timeout / 2
        self._client = httpx2.AsyncClient(
            # `_send` limits the time of all steps together. A handshake that it cancelled would
            # leave its socket open (httpcore2 2.16), so that has a timeout of its own.
            timeout=httpx2.Timeout(None, connect=self._connect_timeout),
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS),
            verify=tls or _default_tls(),
            # No redirect is followed, and no proxy or .netrc of the environment is used.
            follow_redirects=False,
            trust_env=False,
            # What a provider sets for one user must not be sent for another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # A compressed body is read all the same, and limited.
            headers={"User-Agent": "Gatehouse", "Accept-Encoding": "identity"},
        )

    async def get(
        self, source: str, url: str, *, accept: str = "application/json", bearer: str | None = None
    ) -> Answer:
        """Read an address. ``source`` names it in the reasons of errors. Raises ProviderError."""
        headers = {"Accept": accept}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self._send(source, "GET", url, headers=headers)

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
        return await self._send(source, "POST", url, headers=headers, form=form, basic=basic)

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(
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
            request = self._client.build_request(method, url, headers=headers, data=form)
            async with asyncio.timeout(self.timeout):
                return await self._receive(source, request, basic)
        except TimeoutError:
            reason = f"{source}: no complete answer within {self.timeout:g} seconds"
        except httpx2.ConnectTimeout:
            reason = f"{source}: cannot connect within {self._connect_timeout:g} seconds"
        except (httpx2.ConnectError, httpx2.InvalidURL) as error:
            # The words of the system or of OpenSSL, such as those for a certificate.
            reason = f"{source}: cannot connect: {ascii(str(error))[:200]}"
        except httpx2.HTTPError as error:
            # Without its words, which may quote the answer.
            reason = f"{source}: {type(error).__name__}"
        raise ProviderError.unavailable(reason)

    async def _receive(
        self, source: str, request: httpx2.Request, basic: tuple[str, str] | None
    ) -> Answer:
        response = await self._client.send(request, stream=True, auth=basic)
        try:
            async with aclosing(response.aiter_bytes()) as chunks:
                body = await _limited(source, chunks)
        finally:
            await response.aclose()
        content_type = response.headers.get("Content-Type", "")
        return Answer(source, response.status_code, content_type, body)


async def _limited(source: str, chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ProviderError.unavailable(f"{source}: the body exceeds {MAX_BODY_BYTES} bytes")
    return bytes(body)


@cache
def _default_tls() -> ssl.SSLContext:
    """Return the context of all clients, with the certificates that OpenSSL trusts on this machine,
    as for mail."""
    return ssl.create_default_context()
