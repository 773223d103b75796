"""The same response to every request, to measure how many requests the load generator can send.

This is not a peer.
"""

import asyncio
import os
from typing import cast

import uvloop

BODY = b'{"data":{"me":{"id":"0","username":"user.0","email":"user0@example.com"}}}'
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Constant(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(RESPONSE)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(
        Constant, "127.0.0.1", int(os.environ["PORT"])
    )
    await server.serve_forever()


uvloop.run(serve())
