"""Hashing and verifying a password in a slot of the queue."""

from domain.passwords.hashing import HashingQueue, Verification


async def hash_password(queue: HashingQueue, password: str) -> str:
    async with queue.slot() as hasher:
        return await hasher.hash(password)


async def verify_password(
    queue: HashingQueue, password: str, stored_hash: str | None
) -> Verification:
    async with queue.slot() as hasher:
        return await hasher.verify(password, stored_hash)
