"""Storage of pictures: a folder, or a bucket of S3. The only file that imports obstore."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from domain.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

logger = logging.getLogger("gatehouse")

Result = TypeVar("Result")

# For one step of a request, with all attempts: what is slower counts as away.
TIMEOUT = timedelta(seconds=3)
_ATTEMPT_TIMEOUT = timedelta(seconds=2)
_CONNECT_TIMEOUT = timedelta(seconds=1)

# Files in one step of a list, and in one request to delete them.
BATCH_SIZE = 500

# Threads that wait for the store.
MAX_AT_ONCE = 8

# For those who read the bucket itself, such as a CDN. A folder keeps none of it.
_ATTRIBUTES = {
    "Content-Type": "image/webp",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Disposition": 'inline; filename="picture.webp"',
}

_DONE = {"write": "written", "read": "read", "delete": "deleted", "list": "listed"}

# What the texts of obstore say for operators. They also quote what a server has answered, and S3
# quotes the id of a key.
_REASON = re.compile(r"status code: \d{3}|[^:]+ \(os error \d+\)|error sending request")


class PicturesUnavailable(Unavailable):
    """``reason`` is for the operator, and has no secrets."""

    message = "Pictures are not available at present. Try again in a moment."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of S3 or of a storage that speaks its protocol. Without keys, obstore finds those of
    the machine or of the environment, as every tool for AWS does."""

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class PictureStore:
    """Files by their names. Each step raises PicturesUnavailable if it fails or takes too long.

    obstore is imported when the first file is read or written, and a folder is made when the first
    one is written. Its async functions are not used: they may abort a process that exits (0.12).
    """

    def __init__(self, place: Path | Bucket) -> None:
        self._place = place
        self._store: ObjectStore | None = None
        self._pool = _new_pool()

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Store files, all or none, as far as the store does what it is told."""
        try:
            async with _within("write"):
                await asyncio.gather(
                    *(self._run(self._put, name, content) for name, content in files.items())
                )
        except PicturesUnavailable:
            await self.discard(files)
            raise

    async def get(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        async with _within("read"):
            return await self._run(self._get, name)

    async def delete(self, names: Collection[str]) -> None:
        """Delete files. Those that do not exist count as deleted."""
        async with _within("delete"):
            await self._run(self._delete, names)

    async def discard(self, names: Collection[str]) -> None:
        """Delete files that nothing refers to. If that fails, they are left to be pruned."""
        with suppress(PicturesUnavailable):
            await self.delete(names)

    async def names(self, *, before: datetime | None = None) -> AsyncIterator[list[str]]:
        """Yield the names of files in batches, or only of those last changed ``before`` a time."""
        async with _within("list"):
            chunks = await self._run(self._list)
        while True:
            async with _within("list"):
                chunk = await self._run(next, chunks, None)
            if chunk is None:
                return
            yield [
                file["path"] for file in chunk if before is None or file["last_modified"] < before
            ]

    async def check(self) -> None:
        """Read the begin of the list of files. Changes nothing."""
        await anext(aiter(self.names()), None)

    def close(self) -> None:
        """Cancel what waits. The store can be used again afterwards."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = _new_pool()

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def _put(self, name: str, content: bytes) -> None:
        import obstore

        attributes = _ATTRIBUTES if isinstance(self._place, Bucket) else None
        obstore.put(self._opened(), name, content, attributes=attributes, use_multipart=False)

    def _get(self, name: str) -> bytes | None:
        if not self._exists():
            return None
        import obstore

        try:
            return bytes(obstore.get(self._opened(), name).bytes())
        except FileNotFoundError:
            return None

    def _delete(self, names: Collection[str]) -> None:
        if not self._exists():
            return
        import obstore

        if isinstance(self._place, Bucket):
            obstore.delete(self._opened(), list(names))
            return
        for name in names:
            with suppress(FileNotFoundError):
                obstore.delete(self._opened(), name)

    def _list(self) -> Iterator[Any]:
        if not self._exists():
            return iter(())
        import obstore

        return iter(obstore.list(self._opened(), chunk_size=BATCH_SIZE))

    def _exists(self) -> bool:
        """Return whether there is a place to read from. A folder is made by the first file."""
        return self._store is not None or isinstance(self._place, Bucket) or self._place.is_dir()

    def _opened(self) -> "ObjectStore":
        if self._store is None:
            self._store = _open(self._place)
        return self._store


def _new_pool() -> ThreadPoolExecutor:
    """Return threads of the store's own: those that hang must not keep others waiting."""
    return ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="picture-store")


def _open(place: Path | Bucket) -> "ObjectStore":
    # Imported here: obstore takes time, and only this needs it.
    from obstore.store import LocalStore, S3Store

    if isinstance(place, Path):
        return LocalStore(place.absolute(), mkdir=True)
    given: dict[str, Any] = {
        "endpoint": place.endpoint,
        "region": place.region,
        "access_key_id": place.access_key_id,
        "secret_access_key": place.secret_access_key,
    }
    return S3Store(
        place.name,
        prefix=place.prefix or None,
        client_options={
            "allow_http": (place.endpoint or "").startswith("http:"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "timeout": _ATTEMPT_TIMEOUT,
        },
        # By default it tries for minutes.
        retry_config={"max_retries": 2, "retry_timeout": TIMEOUT},
        **{name: value for name, value in given.items() if value is not None},
    )


@asynccontextmanager
async def _within(step: str) -> AsyncIterator[None]:
    """Limit the time of a step. Raises PicturesUnavailable, and logs why."""
    try:
        async with asyncio.timeout(TIMEOUT.total_seconds()):
            yield
    except Exception as error:
        reason = _reason(error)
        logger.error("Pictures cannot be %s: %s", _DONE[step], reason)
        raise PicturesUnavailable(reason) from None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT.total_seconds():.0f} seconds"
    found = _REASON.search(str(error))
    return found[0].strip() if found else type(error).__name__
