"""A user who reads `me` at a fixed pace, while others attack."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from soak.audited_clients import PASSWORD, PUBLISH
from soak.raw_client import Disconnected, RawClient
from tests.operations import REGISTER

READS_PER_SECOND = 50
# A measurement ends this long after its last read was due, and the server has so long to recover.
LONGEST_WAIT_SECONDS = 5
RECOVERY_SECONDS = 30
RECOVERED_FOR_SECONDS = 0.3


@dataclass
class Victim:
    """A user who reads `me` at a fixed pace, over a few kept connections."""

    clients: Sequence[RawClient]
    token: str = field(default="", repr=False)

    async def register(self) -> None:
        answer = await self.clients[0].execute(
            REGISTER, username="victim", email="victim@example.com", password=PASSWORD
        )
        self.token = answer.data["register"]["accessToken"]

    async def publish(self, number: int, content: str) -> None:
        post = {"title": "Of the engine", "content": content}
        for _ in range(number):
            answer = await self.clients[0].execute(PUBLISH, by=self.token, input=post)
            assert answer.errors == []

    async def read_me(self, seconds: float) -> tuple[list[float], list[str]]:
        """Return the response times in seconds, each from when its request was due, and the
        failures."""
        start, loop = time.monotonic(), asyncio.get_running_loop()
        end = loop.time() + seconds + LONGEST_WAIT_SECONDS
        times: list[float] = []
        failures: list[str] = []

        async def read_on_schedule(client: RawClient, place: int) -> None:
            numbers = range(place, int(seconds * READS_PER_SECOND), len(self.clients))
            waiting = [start + number / READS_PER_SECOND for number in numbers]
            try:
                async with asyncio.timeout_at(end):
                    while waiting:
                        await asyncio.sleep(waiting[0] - time.monotonic())
                        failures.extend(await self._read_once(client))
                        times.append(time.monotonic() - waiting.pop(0))
            except TimeoutError:
                client.abort()
                failures.extend("no response" for _ in waiting)
                times.extend(time.monotonic() - due for due in waiting)

        await asyncio.gather(
            *(read_on_schedule(client, place) for place, client in enumerate(self.clients))
        )
        return times, failures

    async def recover(self, max_ms: float) -> float:
        """Return the seconds until `me` takes at most ``max_ms``."""
        began = time.monotonic()
        while time.monotonic() < began + RECOVERY_SECONDS:
            times, failures = await self.read_me(RECOVERED_FOR_SECONDS)
            if not failures and max(times) * 1000 < max_ms:
                break
        return time.monotonic() - began - RECOVERED_FOR_SECONDS

    async def _read_once(self, client: RawClient) -> list[str]:
        """Return the failures."""
        try:
            answer = await client.execute("{me{id}}", by=self.token)
        except (Disconnected, AssertionError) as error:
            return [repr(error)[:60]]
        return [error["message"] for error in answer.errors]
