"""Invitations, for those who send them."""

from datetime import datetime
from typing import Self

import strawberry

from domain import admin


@strawberry.type(description="An invitation that was sent by mail.")
class Invitation:
    expires_at: datetime = strawberry.field(
        description="Until when its link works, in UTC, unless it is used, replaced or revoked."
    )

    @classmethod
    def of(cls, invitation: admin.Invitation) -> Self:
        return cls(expires_at=invitation.expires_at)
