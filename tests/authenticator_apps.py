"""An authenticator app, as its user has it on a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyotp
import pytest

from domain import totp
from tests.operations import CONFIRM_TOTP, LOGIN, PASS_SECOND_FACTOR, START_TOTP
from tests.users import Answer, GraphQL, RegisteredUser


@dataclass(frozen=True)
class App:
    """An app that was set up, and the recovery codes that were shown then."""

    secret: str
    recovery_codes: tuple[str, ...] = ()

    def code(self, *, steps: int = 0) -> str:
        """Return the code of now, or as many time steps later."""
        now = totp.current_step() * totp.STEP_SECONDS
        return pyotp.TOTP(self.secret).at(now, counter_offset=steps)


class Clock:
    """The clock of codes. It stands still until it is moved."""

    def __init__(self) -> None:
        self.step = totp.current_step()

    def move(self, *, steps: int) -> None:
        self.step += steps


@contextmanager
def stopped_clock() -> Iterator[Clock]:
    """Stop the clock of codes while the block runs, so that none of them changes meanwhile."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(totp, "current_step", lambda: clock.step)
        yield clock


async def set_up(graphql: GraphQL, user: RegisteredUser, clock: Clock) -> App:
    """Set up an app for a user, and wait until the code that confirmed it has changed."""
    started = await graphql(START_TOTP, by=user)
    assert started.errors == []
    app = App(started.data["startTotp"]["secret"])
    confirmed = await graphql(CONFIRM_TOTP, by=user, code=app.code())
    assert confirmed.errors == []
    clock.move(steps=1)
    return replace(app, recovery_codes=tuple(confirmed.data["confirmTotp"]))


async def challenge(graphql: GraphQL, user: RegisteredUser) -> dict[str, Any]:
    """Log in with the password, and return the challenge of the second factor."""
    answer = await graphql(LOGIN, username=user.username, password=user.password)
    assert answer.data is None
    assert answer.code == "SECOND_FACTOR_REQUIRED"
    found: dict[str, Any] = answer.error["extensions"]["challenge"]
    return found


async def log_in_with(graphql: GraphQL, user: RegisteredUser, code: str) -> Answer:
    """Log in with the password and a code."""
    ticket = (await challenge(graphql, user))["ticket"]
    return await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=code)


async def signed_in_with(graphql: GraphQL, user: RegisteredUser, code: str) -> RegisteredUser:
    """Return the user with the tokens of a new session that a code has completed."""
    answer = await log_in_with(graphql, user, code)
    assert answer.errors == []
    token = answer.data["passSecondFactor"]
    return replace(user, token=token["accessToken"], refresh_token=token["refreshToken"])
