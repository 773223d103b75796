"""Requests to other servers, with limits. The only file that imports httpx2."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

# At the same time. Others wait for their turn, within the timeout.
MAX_CONNECTIONS = 20

# Its lines have whole addresses.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class RequestFailed(Exception):
    """A request without a complete answer. The text says why, and quotes nothing of an answer."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Its body may have secrets."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class HttpClient:
    """Sends requests, each within ``timeout`` seconds: connecting, sending, and reading the answer,
    whose body may have ``max_body`` bytes once it is decompressed. A longer one is an error, or it
    is cut off with ``cuts_body``."""

    def __init__(
        self,
        *,
        timeout: float,
        max_body: int,
        cuts_body: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.timeout = timeout
        self._connect_timeout = timeout / 2
        self._max_body = max_body
        self._cuts_body = cuts_body
        self._client = httpx2.AsyncClient(
            # `send` limits the time of all steps together. A handshake that it cancelled would
            # leave its socket open (httpcore2 2.16), so that has a timeout of its own.
            timeout=httpx2.Timeout(None, connect=self._connect_timeout),
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS),
            verify=tls or _default_tls(),
            # No redirect is followed, and no proxy or .netrc of the environment is used.
            follow_redirects=False,
            trust_env=False,
            # What a server sets for one user must not be sent for another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # A compressed body is read all the same, and limited.
            headers={"User-Agent": "Gatehouse", "Accept-Encoding": "identity"},
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> Response:
        """Send a request with a body or a form, and with a user and a password if ``basic`` is
        given. Raises RequestFailed."""
        try:
            request = self._client.build_request(
                method, url, headers=headers, content=content, data=form
            )
            async with asyncio.timeout(self.timeout):
                return await self._receive(request, basic)
        except TimeoutError:
            reason = f"no complete answer within {self.timeout:g} seconds"
        except httpx2.ConnectTimeout:
            reason = f"cannot connect within {self._connect_timeout:g} seconds"
        except (httpx2.ConnectError, httpx2.InvalidURL) as error:
            # The words of the system or of OpenSSL, such as those for a certificate.
            reason = f"cannot connect: {ascii(str(error))[:200]}"
        except httpx2.HTTPError as error:
            # Without its words, which may quote the answer.
            reason = type(error).__name__
        raise RequestFailed(reason)

    async def close(self) -> None:
        await self._client.aclose()

    async def _receive(self, request: httpx2.Request, basic: tuple[str, str] | None) -> Response:
        response = await self._client.send(request, stream=True, auth=basic)
        try:
            async with aclosing(response.aiter_bytes()) as chunks:
                body = await self._limited(chunks)
        finally:
            await response.aclose()
        return Response(response.status_code, response.headers, body)

    async def _limited(self, chunks: AsyncIterator[bytes]) -> bytes:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > self._max_body:
                if self._cuts_body:
                    break
                raise RequestFailed(f"the body exceeds {self._max_body} bytes")
        return bytes(body)


@cache
def _default_tls() -> ssl.SSLContext:
    """Return the context of all clients, with the certificates that OpenSSL trusts on this machine,
    as for mail."""
    return ssl.create_default_context()
