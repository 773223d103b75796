"""How passwords are hashed and verified. The only file that names passlib."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from passlib.hash import argon2

from domain.errors import Overloaded
from domain.observer import SILENT, Observer
from domain.passwords.policy import MAX_LENGTH, can_be_hashed

logger = logging.getLogger("gatehouse")

# For each thread: one is hashed, and the others are on the way there or back.
AT_IT_PER_THREAD = 4

# And so many wait for it: at OWASP's parameters about two seconds' worth of work.
WAITING_PER_THREAD = 64

# Where a hash takes longer, or others want the processor: there is a deadline for all that is to follow.
LONGEST_WAIT = timedelta(seconds=5)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right and, if its hash has outdated parameters, the hash to store instead."""

    right: bool
    renewed_hash: str | None = field(default=None, repr=False)


class Passwords:
    """Hashes and verifies with Argon2id, for so many at a time.

    ``memory_kib``, ``time_cost`` and ``parallelism`` are Argon2's; ``threads`` hash at the same time. Each thread first calls
    ``on_each_thread``, which must not raise.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        threads: int,
        on_each_thread: Callable[[], object] | None = None,
        observer: Observer = SILENT,
    ) -> None:
        hasher = argon2.using(  # type: ignore[no-untyped-call]
            type="ID", memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism
        )
        self._hashing = Hashing(hasher, threads, on_each_thread)
        self._free = asyncio.Semaphore(threads * AT_IT_PER_THREAD)
        self._room = threads * WAITING_PER_THREAD
        self._observer = observer
        #: How many wait for their turn.
        self.waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Hashing"]:
        """For all that is done about a password, from before anything is read or counted: whoever waits, waits here. Raises
        Overloaded when too many do, or after ``LONGEST_WAIT``."""
        if self._free.locked() and self.waiting >= self._room:
            raise Overloaded
        self.waiting += 1
        came = time.perf_counter()
        try:
            async with asyncio.timeout(LONGEST_WAIT.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded from None
        finally:
            self.waiting -= 1
        self._observer.turn_came(time.perf_counter() - came)
        try:
            yield self._hashing
        finally:
            self._free.release()

    def close(self) -> None:
        """Give up what waits. An application may be started again after it."""
        self._hashing.close()


class Hashing:
    """What is done on threads of its own, so that the event loop never waits for a hash."""

    def __init__(
        self, hasher: Any, threads: int, on_each_thread: Callable[[], object] | None
    ) -> None:
        self._argon2 = hasher
        self._threads = threads
        self._on_each_thread = on_each_thread
        self._pool = self._new_pool()
        # Hashed here and now: passlib loads its backend at the first hash, which takes time that would tell
        # an unknown user from a known one, and fails when two threads do it at once.
        self._nobodys_hash = hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The hash to store for a password that has no ``problems``."""
        return await self._on_a_thread(self._argon2.hash, password)

    async def verify(self, password: str, stored_hash: str | None) -> Verdict:
        """Judge a password. A missing hash costs as much time as a wrong password."""
        if len(password) > MAX_LENGTH or not can_be_hashed(password):
            return Verdict(right=False)
        return await self._on_a_thread(self._verify, password, stored_hash)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            self._threads, thread_name_prefix="argon2", initializer=self._on_each_thread
        )

    async def _on_a_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, work, *arguments)

    def _verify(self, password: str, stored_hash: str | None) -> Verdict:
        right, outdated = False, True
        if stored_hash is not None:
            try:
                right = self._argon2.verify(password, stored_hash)
                outdated = self._argon2.needs_update(stored_hash)
            except ValueError:
                logger.error("a stored password hash is damaged; its owner cannot log in")
        if right:
            return Verdict(True, self._argon2.hash(password) if outdated else None)
        if outdated:
            # No hash, or one that may have cost less than those of today: the time would tell a user from none.
            self._argon2.verify(password, self._nobodys_hash)
        return Verdict(False)
