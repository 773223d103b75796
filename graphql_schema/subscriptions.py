"""The subscriptions."""

from collections.abc import AsyncGenerator

import strawberry

from graphql_schema.context import Info
from graphql_schema.types.private_user import PrivateUser
from graphql_schema.types.security_events import Kinds, SecurityEvent


async def security_events(info: Info, kinds: Kinds = None) -> AsyncGenerator[SecurityEvent, None]:
    async with info.context.subscribed() as subscriber:
        while change := await subscriber.next_change():
            for event in change.events:
                subscriber.require_active()
                if kinds is None or event.kind in kinds:
                    yield SecurityEvent.of(event, subscriber.caller)


async def me(info: Info) -> AsyncGenerator[PrivateUser, None]:
    async with info.context.subscribed() as subscriber:
        yield PrivateUser.of(await info.context.current_user(), subscriber.caller)
        while change := await subscriber.next_change():
            if change.is_of_user:
                yield PrivateUser.of(change.user, subscriber.caller)


@strawberry.type(
    description="All subscriptions. Each ends with UNAUTHENTICATED when its session ends, whatever its access token."
    " If a client does not read what it is sent, they end without an error."
)
class Subscription:
    security_events = strawberry.subscription(
        resolver=security_events,
        description="What happens to your account from now on. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, QUOTA_EXCEEDED.",
    )
    me = strawberry.subscription(
        resolver=me,
        description="You, now and after each change. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, QUOTA_EXCEEDED.",
    )
