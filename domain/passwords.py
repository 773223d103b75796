"""Which passwords are accepted, and how they are hashed and verified. The only file that names passlib."""

import asyncio
import functools
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from passlib.hash import argon2

from domain.errors import Overloaded
from domain.observer import SILENT, Observer

logger = logging.getLogger("gatehouse")

# NIST SP 800-63B (revision 3) section 5.1.1.2: at least 8, no rules of composition, refuse what attackers try first.
# The upper end keeps the cost of a hash the same for everyone.
MIN_LENGTH = 8
MAX_LENGTH = 128

# Callers that may wait for each thread: at OWASP's parameters about two seconds' worth of work.
WAITING_PER_THREAD = 64

Result = TypeVar("Result")


def problems(password: str, *, username: str = "", email: str = "") -> list[str]:
    """What keeps a password from being chosen, as sentences; nothing if it can be."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters."]
    if not _can_be_hashed(password):
        return ["A password has no NUL and no half of a surrogate pair."]
    lowered = password.lower()
    if lowered in _common():
        return ["This password is among the first that anyone tries; choose another."]
    if lowered in (username.lower(), email.lower()):
        return ["A password must not be the username or the email."]
    return []


@functools.cache
def _common() -> frozenset[str]:
    # Here, as the lists take a twentieth of the start.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(
        password for password in FREQUENCY_LISTS["passwords"] if len(password) >= MIN_LENGTH
    )


def _can_be_hashed(password: str) -> bool:
    return "\0" not in password and not any("\ud800" <= c <= "\udfff" for c in password)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right and, if its hash has outdated parameters, the hash to store instead."""

    right: bool
    renewed_hash: str | None = field(default=None, repr=False)


class Passwords:
    """Hashes and verifies with Argon2id on threads of its own, so that the event loop never waits for a hash.

    ``memory_kib``, ``time_cost`` and ``parallelism`` are Argon2's; ``threads`` hash at the same time, and
    ``WAITING_PER_THREAD`` callers wait for each: the next one gets Overloaded. Each thread first calls ``on_each_thread``,
    which must not raise.
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
        self._argon2 = argon2.using(  # type: ignore[no-untyped-call]
            type="ID", memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism
        )
        self._threads = threads
        self._on_each_thread = on_each_thread
        self._observer = observer
        self._pool = self._new_pool()
        self._room = threads * (1 + WAITING_PER_THREAD)
        # Hashed here and now: passlib loads its backend at the first hash, which takes time that would tell
        # an unknown user from a known one, and fails when two threads do it at once.
        self._nobodys_hash = self._argon2.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The hash to store for a password that has no ``problems``."""
        return await self._on_a_thread(functools.partial(self._argon2.hash, password))

    async def verify(self, password: str, stored_hash: str | None) -> Verdict:
        """Judge a password. A missing hash costs as much time as a wrong password."""
        if len(password) > MAX_LENGTH or not _can_be_hashed(password):
            return Verdict(right=False)
        return await self._on_a_thread(functools.partial(self._verify, password, stored_hash))

    @property
    def queued(self) -> int:
        """How many wait for a thread."""
        begun = self._threads * (1 + WAITING_PER_THREAD) - self._room
        return max(0, begun - self._threads)

    def close(self) -> None:
        """Give up what waits. An application may be started again after it."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            self._threads, thread_name_prefix="argon2", initializer=self._on_each_thread
        )

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

    async def _on_a_thread(self, work: Callable[[], Result]) -> Result:
        if self._room == 0:
            raise Overloaded
        self._room -= 1
        future = self._pool.submit(self._begin, work, time.perf_counter())
        # Room is given back when the thread is done, not when the caller has left.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._give_back_room(loop))
        return await asyncio.wrap_future(future)

    def _begin(self, work: Callable[[], Result], asked_at: float) -> Result:
        self._observer.hash_began(time.perf_counter() - asked_at)
        return work()

    def _give_back_room(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._leave)
        except RuntimeError:
            self._leave()  # the loop has closed: nobody counts any more

    def _leave(self) -> None:
        self._room += 1
