"""A hash, or a verification, by whoever waits for their turn."""

from domain.passwords.hashing import HashingQueue, Verification


async def hashed(passwords: HashingQueue, password: str) -> str:
    async with passwords.slot() as hasher:
        return await hasher.hash(password)


async def judged(passwords: HashingQueue, password: str, stored_hash: str | None) -> Verification:
    async with passwords.slot() as hasher:
        return await hasher.verify(password, stored_hash)
