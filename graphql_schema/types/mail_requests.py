"""The answer to a request for a mail."""

from typing import Self

import strawberry

from domain.authentication import mail_requests


@strawberry.type(
    description="The answer to a request for a mail, which is the same for an address that no account has."
)
class MailRequest:
    ticket: str = strawberry.field(
        description="Keep it in this browser: a code of the mail works only together with it."
    )
    expires_in: int = strawberry.field(
        description="The number of seconds until the link or the code in the mail expires."
    )
    retry_after: int = strawberry.field(
        description="The number of seconds until another mail to this address may be requested."
    )

    @classmethod
    def of(cls, request: mail_requests.MailRequest) -> Self:
        return cls(
            ticket=request.ticket,
            expires_in=int(request.lifetime.total_seconds()),
            retry_after=request.retry_after,
        )

    # A repr could put the ticket into a log.
    __repr__ = object.__repr__
