"""Mutations that invite people to create an account."""

from typing import Annotated

import strawberry

from domain import admin
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost
from graphql_schema.types.invitations import Invitation


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Sends an invitation to create an account with this email. For ADMIN. It ends earlier ones to the"
    " same email. The link in the mail leads to `sign-up#invitation=` at `APP_URL`, with the email as `email=`."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, SECOND_FACTOR_SETUP_REQUIRED, REGISTRATION_CLOSED where no accounts"
    " are created, INVALID_INPUT, EMAIL_TAKEN, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def invite(
    info: Info,
    email: Annotated[str, strawberry.argument(description="The email to invite.")],
) -> Invitation:
    invitation = await admin.invite(
        info.context.services, info.context.device, info.context.caller(), email=email
    )
    return Invitation.of(invitation)


@strawberry.mutation(
    description="Ends the invitation to an email, and returns whether there was one. For ADMIN."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, SECOND_FACTOR_SETUP_REQUIRED, INVALID_INPUT.",
)
async def revoke_invitation(
    info: Info,
    email: Annotated[str, strawberry.argument(description="The email that was invited.")],
) -> bool:
    return await admin.revoke_invitation(info.context.services, info.context.caller(), email=email)
