"""People who use the service for as long as they are let, and keep their own record of what was acknowledged."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from soak.wire import CutOff, Wire, request
from tests.operations import ME, REGISTER
from tests.users import Answer

UPDATE = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { imageFile } }"
REFRESH = (
    "mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }"
)
PUBLISH = "mutation ($input: PostInput!) { createPost(input: $input) { id } }"
PASSWORD = "analytical engine"

FINE = "fine"
CUT_OFF = "cut off"


@dataclass
class Outcomes:
    """How often each came, the slowest of all, and what was read that should not have been there to read."""

    counted: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    misread: list[str] = field(default_factory=list)
    last_refusal: float = 0.0

    def count(self, outcome: str, began: float) -> None:
        now = time.monotonic()
        self.counted[outcome] += 1
        self.slowest = max(self.slowest, now - began)
        if outcome != FINE:
            self.last_refusal = now

    def other_than(self, *expected: str) -> dict[str, int]:
        return {outcome: n for outcome, n in self.counted.items() if outcome not in expected}


@dataclass
class Visitor:
    """Someone with an account, or soon to have one.

    ``images`` is the last picture that was acknowledged, and those since of which nobody knows: any may be there.
    """

    wire: Wire
    username: str = ""
    id: UUID | None = None
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    images: list[str | None] = field(default_factory=lambda: [None])
    posts: set[UUID] = field(default_factory=set)

    async def visit(self, outcomes: Outcomes, until: asyncio.Event) -> None:
        while not until.is_set():
            began = time.monotonic()
            try:
                outcome = await self.once(outcomes)
            except CutOff:
                outcome = CUT_OFF
            outcomes.count(outcome, began)
            if outcome != FINE:
                await asyncio.sleep(0.05)  # as a client would, before it tries again

    async def once(self, outcomes: Outcomes) -> str:
        """One thing that people do, by chance, and what it came to."""
        if self.id is None:
            return await self.register()
        doing: Callable[[], Awaitable[str]] = random.choice(
            [self._update, self.refresh, self.publish, lambda: self._look(outcomes), self._userinfo]
        )
        return await doing()

    async def refresh(self) -> str:
        answer = await self.wire.ask(REFRESH, token=self.refresh_token)
        if not answer.errors:
            self.access_token = answer.data["refresh"]["accessToken"]
            self.refresh_token = answer.data["refresh"]["refreshToken"]
        return _outcome(answer)

    async def register(self) -> str:
        # A new name each time: whether the last one was taken by us, nobody knows.
        self.username = f"v{uuid4().hex[:16]}"
        answer = await self.wire.ask(
            REGISTER,
            username=self.username,
            email=f"{self.username}@example.com",
            password=PASSWORD,
        )
        if not answer.errors:
            token = answer.data["register"]
            self.id = UUID(token["user"]["id"])
            self.access_token = token["accessToken"]
            self.refresh_token = token["refreshToken"]
        return _outcome(answer)

    async def _update(self) -> str:
        image = f"{uuid4().hex}.png"
        self.images.append(image)
        answer = await self.wire.ask(UPDATE, by=self.access_token, input={"imageFile": image})
        if not answer.errors:
            self.images = [image]
        return _outcome(answer)

    async def publish(self) -> str:
        post = {"title": "Of the engine", "content": "It weaves algebraic patterns."}
        answer = await self.wire.ask(PUBLISH, by=self.access_token, input=post)
        if not answer.errors:
            self.posts.add(UUID(answer.data["createPost"]["id"]))
        return _outcome(answer)

    async def _look(self, outcomes: Outcomes) -> str:
        answer = await self.wire.ask(ME, by=self.access_token)
        if not answer.errors:
            me = answer.data["me"]
            if me["username"] != self.username or me["imageFile"] not in self.images:
                outcomes.misread.append(f"{me['imageFile']}, and not one of {self.images}")
        return _outcome(answer)

    async def _userinfo(self) -> str:
        reply = await self.wire.send(request("GET", "/userinfo", by=self.access_token))
        return FINE if reply.status == 200 else str(reply.status)


def _outcome(answer: Answer) -> str:
    return answer.code if answer.errors else FINE


@contextmanager
def crowd(url: str, number: int) -> Iterator[list[Visitor]]:
    visitors = [Visitor(Wire(url)) for _ in range(number)]
    try:
        yield visitors
    finally:
        leave(visitors)


def leave(visitors: Iterable[Visitor]) -> None:
    for visitor in visitors:
        visitor.wire.leave()
