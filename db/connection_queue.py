"""A queue in front of a pool of connections."""

import asyncio

from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.engine import TIMEOUT


class ConnectionQueue:
    """Gives out connections in the order of the requests, as many at a time as there are.

    (SQLAlchemy's pool gives a free connection to the next who asks: of 64 constant readers, some
    would wait a hundred times as long as others.)
    """

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self.in_use = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        """Wait for a connection. Raises PoolTimeout if none is free within ``TIMEOUT``."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self.in_use += 1

    async def __aexit__(self, *_: object) -> None:
        self.in_use -= 1
        self._free.release()

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("all connections are in use") from None
        finally:
            self.waiting -= 1
