"""A PostgreSQL that can be frozen: a way to the real one, on which nothing moves while it is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url

# What PostgreSQL says when it is ready for the first statement.
READY = b"Z\x00\x00\x00\x05I"


class Proxy:
    def __init__(self, database_url: str) -> None:
        self._target = make_url(database_url)
        self._moves = asyncio.Event()
        self._moves.set()
        self._pipes: set[asyncio.Task[None]] = set()
        self._ends_whoever_comes = False

    def freeze(self) -> None:
        self._moves.clear()

    def thaw(self) -> None:
        self._moves.set()

    def end_all(self) -> None:
        """Those there are, and each one that comes when it has been let in: as a server does that shuts down."""
        self._ends_whoever_comes = True
        for pipe in self._pipes:
            pipe.cancel()

    @asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
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
        there, back = await asyncio.open_connection(self._target.host, self._target.port)
        for pipe in (self._pipe(reader, back), self._pipe(there, writer)):
            self._pipes.add(asyncio.create_task(pipe))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    await self._moves.wait()
                    writer.write(data)
                    if self._ends_whoever_comes and data.endswith(READY):
                        break
        finally:
            writer.transport.abort()
