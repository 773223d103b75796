"""What a password hash may cost on the machine at hand."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from domain.passwords.hashing import Passwords

# OWASP Password Storage Cheat Sheet, "Argon2id": from so many MiB on at least so many passes. The lines are worth the
# same to OWASP; less than the last is never offered.
MINIMUM_PASSES = {46: 1, 19: 2, 12: 3, 9: 4, 7: 5}
MIN_MEMORY_MIB = min(MINIMUM_PASSES)
MAX_PASSES = 100

# A measure is the median of at least so many hashes, and of as many as fit into so many seconds.
HASHES_A_MEASURE = 3
SECONDS_A_MEASURE = 0.3

# A guess that was measured corrects the next one. The second or third is right.
GUESSES = 4


@dataclass(frozen=True, slots=True)
class Costs:
    """Argon2id's parameters. One lane: more would only divide the processors that other hashes are waiting for."""

    memory_kib: int
    time_cost: int
    parallelism: int = 1

    @property
    def work(self) -> int:
        """KiB that are written: what the time of a hash grows with."""
        return self.memory_kib * self.time_cost


@dataclass(frozen=True, slots=True)
class Fit:
    """The costs that fit, and how many seconds a hash of them takes. More than the target: not even the minimum fits."""

    costs: Costs
    seconds: float


async def seconds_a_hash(costs: Costs) -> float:
    """Of one hash at a time."""
    passwords = Passwords(**asdict(costs), threads=1)
    taken: list[float] = []
    while len(taken) < HASHES_A_MEASURE or sum(taken) < SECONDS_A_MEASURE:
        start = time.perf_counter()
        async with passwords.turn() as hashing:
            await hashing.hash("analytical engine")
        taken.append(time.perf_counter() - start)
    passwords.close()
    return statistics.median(taken)


async def hashes_a_second(costs: Costs, threads: int, *, seconds: float = 1) -> float:
    """Of all threads together, each as busy as in a storm of logins; measured for about so many ``seconds``."""
    passwords = Passwords(**asdict(costs), threads=threads)
    start = time.perf_counter()

    async def hash_until_the_end() -> int:
        hashes = 0
        while time.perf_counter() - start < seconds:
            async with passwords.turn() as hashing:
                await hashing.hash("analytical engine")
            hashes += 1
        return hashes

    hashes = sum(await asyncio.gather(*(hash_until_the_end() for _ in range(threads))))
    passwords.close()
    return hashes / (time.perf_counter() - start)


async def fit(
    measure: Callable[[Costs], Awaitable[float]], *, target_seconds: float, memory_mib: int
) -> Fit:
    """The most that a hash may cost within a time and a memory: as much memory as fits, then as many passes (RFC 9106
    section 4), and never less than OWASP's minimum, though it may be too slow."""
    minimum = _minimum(memory_mib)
    found = Fit(minimum, await measure(minimum))
    seconds_a_kib = found.seconds / minimum.work
    guess = minimum
    for _ in range(GUESSES):
        before, guess = guess, _most(memory_mib, target_seconds / seconds_a_kib) or minimum
        if guess in (before, found.costs):
            break
        seconds = await measure(guess)
        seconds_a_kib = seconds / guess.work
        if seconds <= target_seconds:
            found = Fit(guess, seconds)
    return found


def _minimum(memory_mib: int) -> Costs:
    """OWASP's first choice of two passes, or what stands for it where there is less memory."""
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
