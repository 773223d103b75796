"""Print the Argon2 verifications a second of a process that does nothing else.

Arguments: THREADS SECONDS.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

PASSWORD = "analytical engine"

# OWASP Password Storage Cheat Sheet, "Argon2id".
OWASP = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


def count_verifications(until: float) -> int:
    stored = OWASP.hash(PASSWORD)
    count = 0
    while time.monotonic() < until:
        OWASP.verify(stored, PASSWORD)
        count += 1
    return count


def main(threads: int, seconds: int) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        counts = list(pool.map(count_verifications, [began + seconds] * threads))
    print(sum(counts) / (time.monotonic() - began))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
