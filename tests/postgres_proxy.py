"""A TCP proxy in front of PostgreSQL that can freeze, and that can close its connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url

# PostgreSQL's message ReadyForQuery: a new connection accepts statements.
READY = b"Z\x00\x00\x00\x05I"


class PostgresProxy:
    """Forwards connections to a database. While frozen, it keeps them open and forwards nothing."""

    def __init__(self, database_url: str) -> None:
        self._target = make_url(database_url)
        self._is_forwarding = asyncio.Event()
        self._is_forwarding.set()
        self._pipes: set[asyncio.Task[None]] = set()
        self._closes_new_connections = False

    def freeze(self) -> None:
        self._is_forwarding.clear()

    def thaw(self) -> None:
        self._is_forwarding.set()

    def end_all(self) -> None:
        """Close every connection, and each new one once it is ready, as at a shutdown."""
        self._closes_new_connections = True
        for pipe in self._pipes:
            pipe.cancel()

    def lead_to(self, database_url: str) -> None:
        """Close every connection, and lead new ones to another server, as at a failover."""
        self._target = make_url(database_url)
        for pipe in self._pipes:
            pipe.cancel()

    @asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        """Run the proxy, and yield the database's URL with the proxy's address."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            url = self._target.set(host="127.0.0.1", port=port)
            yield url.render_as_string(hide_password=False)
        finally:
            server.close()
            for pipe in self._pipes:
                pipe.cancel()
            await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self._target.host, self._target.port)
        for pipe in (self._pipe(reader, to_server), self._pipe(from_server, writer)):
            self._pipes.add(asyncio.create_task(pipe))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    await self._is_forwarding.wait()
                    writer.write(data)
                    if self._closes_new_connections and data.endswith(READY):
                        break
        finally:
            writer.transport.abort()
