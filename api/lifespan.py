"""What runs for as long as the application: its preparation and its background tasks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from api.database import SchemaLog
from db.migrations import SchemaMismatch
from domain.errors import Unavailable

logger = logging.getLogger("gatehouse")


class Lifespan:
    """A lifespan that a server runs or, without one, the first request.

    An application that is mounted in another one gets no lifespan events, nor does one that is
    served with ``--lifespan off`` or called by a test client.
    """

    def __init__(
        self, run: Callable[[], AbstractAsyncContextManager[None]], schema_log: SchemaLog
    ) -> None:
        self._run = run
        self._schema_log = schema_log
        self._is_announced = False
        self._begun: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_running = False

    @asynccontextmanager
    async def __call__(self, app: object) -> AsyncIterator[None]:
        async with self._run():
            self.is_running = True
            try:
                yield
            finally:
                self.is_running = False

    async def begin(self) -> None:
        """Begin without a server. The end is that of the event loop.

        Raises Unavailable if the database has another schema than this code needs.
        """
        if self._begun is None:
            # Each request tries again while the database cannot be used.
            if not self._is_announced:
                logger.warning(
                    "The application runs without its lifespan, which begins with this request."
                    " See docs/how-to/embedding.md."
                )
            self._is_announced = True
            self._begun = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run_with_loop(self._begun))
        await asyncio.shield(self._begun)

    async def _run_with_loop(self, begun: asyncio.Future[None]) -> None:
        try:
            async with self(self):
                begun.set_result(None)
                self._schema_log.usable()
                await asyncio.Event().wait()
        except Exception as error:
            if begun.done():
                raise
            begun.set_exception(self._to_error(error))
            # Retrieved here, in case the request was cancelled meanwhile.
            begun.exception()
        finally:
            # The next request tries again, in another event loop too.
            self._begun = self._task = None

    def _to_error(self, error: Exception) -> Exception:
        if not isinstance(error, SchemaMismatch):
            return error
        self._schema_log.excluded(error)
        return Unavailable(str(error))
