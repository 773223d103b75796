"""A hash, or a verdict, by whoever waits for their turn."""

from domain.passwords.hashing import Passwords, Verdict


async def hashed(passwords: Passwords, password: str) -> str:
    async with passwords.turn() as hashing:
        return await hashing.hash(password)


async def judged(passwords: Passwords, password: str, stored_hash: str | None) -> Verdict:
    async with passwords.turn() as hashing:
        return await hashing.verify(password, stored_hash)
