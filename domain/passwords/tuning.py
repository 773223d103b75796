"""Find what a password hash may cost on this machine."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from domain.passwords.hashing import HashingQueue

# OWASP Password Storage Cheat Sheet, "Argon2id": the least passes from so many MiB on. OWASP rates
# the pairs as equal; less than the last is never offered.
MINIMUM_PASSES = {46: 1, 19: 2, 12: 3, 9: 4, 7: 5}
MIN_MEMORY_MIB = min(MINIMUM_PASSES)
MAX_PASSES = 100

# A measurement is the median of at least so many hashes, and of as many as fit into so many
# seconds.
MIN_HASHES_MEASURED = 3
MIN_SECONDS_MEASURED = 0.3

# Each measured guess corrects the next one. The second or third is right.
MAX_GUESSES = 4


@dataclass(frozen=True, slots=True)
class Costs:
    """Argon2id's parameters. One lane: more would only split the processors that other hashes wait
    for."""

    memory_kib: int
    time_cost: int
    parallelism: int = 1

    @property
    def work(self) -> int:
        """The KiB written, which the time of a hash grows with."""
        return self.memory_kib * self.time_cost


@dataclass(frozen=True, slots=True)
class Fit:
    """The costs that fit, and the seconds a hash of them takes. If these exceed the target, not
    even the minimum fits."""

    costs: Costs
    seconds: float


async def seconds_per_hash(costs: Costs) -> float:
    """Return the seconds that one hash takes, measured one at a time."""
    queue = HashingQueue(**asdict(costs), threads=1)
    taken: list[float] = []
    while len(taken) < MIN_HASHES_MEASURED or sum(taken) < MIN_SECONDS_MEASURED:
        start = time.perf_counter()
        async with queue.slot() as hasher:
            await hasher.hash("analytical engine")
        taken.append(time.perf_counter() - start)
    queue.close()
    return statistics.median(taken)


async def hashes_per_second(costs: Costs, threads: int, *, seconds: float = 1) -> float:
    """Return the hashes per second of all threads together, measured for about ``seconds``."""
    queue = HashingQueue(**asdict(costs), threads=threads)
    start = time.perf_counter()

    async def hash_until_the_end() -> int:
        hashes = 0
        while time.perf_counter() - start < seconds:
            async with queue.slot() as hasher:
                await hasher.hash("analytical engine")
            hashes += 1
        return hashes

    hashes = sum(await asyncio.gather(*(hash_until_the_end() for _ in range(threads))))
    queue.close()
    return hashes / (time.perf_counter() - start)


async def fit(
    measure: Callable[[Costs], Awaitable[float]], *, target_seconds: float, memory_mib: int
) -> Fit:
    """Return the highest costs within a time and a memory: as much memory as fits, then as many
    passes (RFC 9106 section 4). Never less than OWASP's minimum, even if that is too slow."""
    minimum = _minimum(memory_mib)
    found = Fit(minimum, await measure(minimum))
    seconds_per_kib = found.seconds / minimum.work
    guess = minimum
    for _ in range(MAX_GUESSES):
        before, guess = guess, _most(memory_mib, target_seconds / seconds_per_kib) or minimum
        if guess in (before, found.costs):
            break
        seconds = await measure(guess)
        seconds_per_kib = seconds / guess.work
        if seconds <= target_seconds:
            found = Fit(guess, seconds)
    return found


def _minimum(memory_mib: int) -> Costs:
    """Return OWASP's first choice of two passes, or its equivalent for less memory."""
    mib = next(mib for mib in MINIMUM_PASSES if mib <= min(memory_mib, 19))
    return Costs(mib * 1024, MINIMUM_PASSES[mib])


def _most(memory_mib: int, work: float) -> Costs | None:
    for mib in range(memory_mib, MIN_MEMORY_MIB - 1, -1):
        passes = int(work / (mib * 1024))
        if passes >= min_passes(mib):
            return Costs(mib * 1024, min(passes, MAX_PASSES))
    return None


def min_passes(mib: int) -> int:
    return next(passes for least, passes in MINIMUM_PASSES.items() if least <= mib)
