"""A bounded queue in front of the thread that encodes pictures."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from domain.errors import Overloaded
from domain.pictures.sizes import PictureSize

# Each of them holds a file in memory, from its first byte on.
MAX_UPLOADS = 16

# A request has a deadline for everything that follows, too.
MAX_WAIT = timedelta(seconds=5)

BUSY = "The server is busy with other pictures. Try again in a moment."


class EncodingQueue:
    """Encodes one picture at a time, on a thread of its own: a picture takes a second and much
    memory. The thread first calls ``on_thread_start``, which must not raise."""

    def __init__(self, on_thread_start: Callable[[], object] | None = None) -> None:
        self._on_thread_start = on_thread_start
        self._pool = self._new_pool()
        self._uploads = 0

    @asynccontextmanager
    async def upload(self) -> AsyncIterator[None]:
        """Hold a place for a file, from before its first byte is read. Raises Overloaded if there
        is none."""
        if self._uploads >= MAX_UPLOADS:
            raise Overloaded(BUSY)
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    async def encode(self, content: bytes) -> dict[PictureSize, bytes]:
        """Return the squares of a picture.

        Raises InvalidInput for a file that is no picture, and Overloaded if it takes too long.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(MAX_WAIT.total_seconds()):
                return await loop.run_in_executor(self._pool, _encode, content)
        except TimeoutError:
            raise Overloaded(BUSY) from None

    def close(self) -> None:
        """Cancel what waits. The queue can be used again afterwards."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            1, thread_name_prefix="pictures", initializer=self._on_thread_start
        )


def _encode(content: bytes) -> dict[PictureSize, bytes]:
    # Imported here: Pillow takes time, and only this needs it.
    from domain.pictures.encoding import encode

    return encode(content)
