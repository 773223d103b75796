"""DataLoaders: sibling fields that each need a row are read by one statement.

Each batch has a short database session of its own, and none is held while a loader waits. Nothing
is cached: a field that is read again after a mutation, or later on a WebSocket, sees the current
rows.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from db.database import Database
from domain.loop_time import charge_same

Key = TypeVar("Key")
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

#: Reads the values of several keys, in the order of the keys.
ReadBatch = Callable[Concatenate[AsyncSession, list[Key], Arguments], Awaitable[list[Value]]]


class Loaders:
    """The DataLoaders of one operation: one for each function that reads a batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}

    def of(
        self,
        read: ReadBatch[Key, Arguments, Value],
        *arguments: Arguments.args,
        **others: Arguments.kwargs,
    ) -> DataLoader[Key, Value]:
        """Return the loader of what a function reads with these arguments."""
        return self._loader(self._database.read, read, *arguments, **others)

    def from_replica(
        self,
        read: ReadBatch[Key, Arguments, Value],
        *arguments: Arguments.args,
        **others: Arguments.kwargs,
    ) -> DataLoader[Key, Value]:
        """Return the loader of what a function reads that may be behind by a moment."""
        return self._loader(self._database.read_from_replica, read, *arguments, **others)

    def _loader(
        self,
        run: Callable[
            [Callable[[AsyncSession], Awaitable[list[Value]]]], Coroutine[Any, Any, list[Value]]
        ],
        read: ReadBatch[Key, Arguments, Value],
        *arguments: Arguments.args,
        **others: Arguments.kwargs,
    ) -> DataLoader[Key, Value]:
        name = (run, read, arguments)
        if name not in self._loaders:
            # A loader that referred to this object would keep what it has read, which may be some
            # megabytes, until a garbage collection.
            async def load(keys: list[Key]) -> list[Value]:
                # In a task of its own, which the first call made.
                return await charge_same(
                    run(lambda session: read(session, keys, *arguments, **others))
                )

            self._loaders[name] = DataLoader(load_fn=load, cache=False)
        return self._loaders[name]
