"""Hashing and verifying passwords. The only file that imports passlib."""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from passlib.hash import argon2

from domain.errors import Overloaded
from domain.observer import SILENT, Observer
from domain.passwords import imported
from domain.passwords.policy import forms_of, normalize

logger = logging.getLogger("gatehouse")

# For each thread: while one request hashes, the others read before and write after.
SLOTS_PER_THREAD = 4

# How many requests may wait for a slot: about two seconds of work at OWASP's parameters.
WAITING_PER_THREAD = 64

# Where a hash takes longer: the request has a deadline for everything that follows, too.
MAX_WAIT = timedelta(seconds=5)

# The end of a hash that is only verified against: zeros, of as many bytes as stored ones have.
_NO_SALT_AND_DIGEST = f"{'A' * 22}${'A' * 43}"
_NO_SALT_AND_DIGEST_OF_BCRYPT = "." * 53

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a password. ``updated_hash`` replaces a stored hash with outdated
    parameters, or of another scheme."""

    is_valid: bool
    updated_hash: str | None = field(default=None, repr=False)


class HashingQueue:
    """A bounded queue in front of the threads that hash passwords with Argon2id.

    ``memory_kib``, ``time_cost`` and ``parallelism`` are Argon2's parameters, and ``threads`` hash
    at the same time. Each thread first calls ``on_thread_start``, which must not raise. ``secret``
    chooses what an unknown user costs, so all processes need the same. Raises ValueError if there
    is not enough memory.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        threads: int,
        on_thread_start: Callable[[], object] | None = None,
        secret: str | None = None,
        observer: Observer = SILENT,
    ) -> None:
        argon2id = argon2.using(  # type: ignore[no-untyped-call]
            type="ID", memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism
        )
        self._hasher = PasswordHasher(
            argon2id, threads, on_thread_start, secret or secrets.token_urlsafe()
        )
        self._free = asyncio.Semaphore(threads * SLOTS_PER_THREAD)
        self._max_waiting = threads * WAITING_PER_THREAD
        self._observer = observer
        #: How many requests wait for a slot.
        self.waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["PasswordHasher"]:
        """Hold a slot for everything a request does with a password, from before its first read or
        rate limit.

        Raises Overloaded if too many requests wait, or if none is free within ``MAX_WAIT``.
        """
        if self._free.locked() and self.waiting >= self._max_waiting:
            raise Overloaded
        self.waiting += 1
        started = time.perf_counter()
        try:
            async with asyncio.timeout(MAX_WAIT.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded from None
        finally:
            self.waiting -= 1
        self._observer.slot_acquired(time.perf_counter() - started)
        try:
            yield self._hasher
        finally:
            self._free.release()

    def learn(self, stored_parameters: Iterable[str]) -> None:
        """Learn what stored hashes cost, from the parameters of a sample of them."""
        self._hasher.learn(stored_parameters)

    def close(self) -> None:
        """Cancel what waits. The queue can be used again afterwards."""
        self._hasher.close()


class PasswordHasher:
    """Hashes on threads of its own, so that the event loop never waits for Argon2."""

    def __init__(
        self,
        argon2id: Any,
        threads: int,
        on_thread_start: Callable[[], object] | None,
        secret: str,
    ) -> None:
        self._argon2 = argon2id
        self._threads = threads
        self._on_thread_start = on_thread_start
        self._pool = self._new_pool()
        # Hashed at once: passlib loads its backend at the first hash. That takes time, which would
        # reveal an unknown user, and it fails when two threads do it at the same time.
        try:
            self._dummy_hash: str = argon2id.hash(secrets.token_urlsafe())
        except ValueError:
            raise ValueError(
                "There is not enough memory for a password hash of ARGON2_MEMORY_KIB."
            ) from None
        self._secret = secret.encode("utf-8", "surrogateescape")
        self._stored_parameters: list[str] = []

    async def hash(self, password: str) -> str:
        """Return the hash to store for a password without ``problems``."""
        return await self._on_a_thread(self._argon2.hash, normalize(password))

    def learn(self, stored_parameters: Iterable[str]) -> None:
        # Sorted, so that another sample changes the costs of few unknown users.
        self._stored_parameters = sorted(stored_parameters)

    async def verify(
        self, password: str, stored_hash: str | None, *, unknown: str = ""
    ) -> Verification:
        """Verify a password. Without a stored hash it takes as long as a wrong password of a user
        takes; the name of the ``unknown`` user chooses, always the same, which user.

        A wrong password takes two hashes if it can be typed in two forms, whether the account
        exists or not.
        """
        compared = stored_hash or self._like(unknown)
        verification = Verification(is_valid=False)
        for form in forms_of(password):
            verification = await self._on_a_thread(self._verify, form, compared)
            if verification.is_valid:
                break
        return verification

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            self._threads, thread_name_prefix="argon2", initializer=self._on_thread_start
        )

    async def _on_a_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, work, *arguments)

    def _like(self, unknown: str) -> str:
        """Return a hash that no password has, with the costs of some user's."""
        if not self._stored_parameters:
            return self._dummy_hash
        name = unknown.encode("utf-8", "surrogatepass")
        position = int.from_bytes(hmac.digest(self._secret, name, "sha256"))
        # The top of 256 bits, so that a sample of another size chooses alike.
        parameters = self._stored_parameters[position * len(self._stored_parameters) >> 256]
        if imported.is_bcrypt(parameters):
            return parameters + _NO_SALT_AND_DIGEST_OF_BCRYPT
        return parameters + _NO_SALT_AND_DIGEST

    def _verify(self, password: str, stored_hash: str) -> Verification:
        is_valid, outdated = False, True
        try:
            if imported.is_imported(stored_hash):
                is_valid = imported.verify(password, stored_hash)
            else:
                is_valid = self._argon2.verify(password, stored_hash)
                outdated = self._argon2.needs_update(stored_hash)
        except ValueError:
            logger.error("A stored password hash is damaged; its owner cannot log in.")
        if is_valid:
            normalized = normalize(password)
            renew = outdated or normalized != password
            return Verification(True, self._argon2.hash(normalized) if renew else None)
        if outdated:
            # With a damaged hash, or one of cheaper parameters or of another scheme, the time would
            # reveal that the user exists.
            self._argon2.verify(password, self._dummy_hash)
        return Verification(False)
