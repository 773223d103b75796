"""Mutations of the accounts of others, for those who have a role."""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from domain import admin
from domain.admin.reasons import MAX_REASON_LENGTH
from domain.errors import InvalidInput
from domain.roles import Role
from graphql_schema.context import Info
from graphql_schema.engine.costs import EXPORT, MAIL, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.accounts import Account
from graphql_schema.types.exports import exported
from graphql_schema.types.token import Token

AccountId = Annotated[strawberry.ID, strawberry.argument(description="The user's id.")]
Reason = Annotated[
    str,
    strawberry.argument(
        description=f"Why: 1 to {MAX_REASON_LENGTH} characters on one line. It is kept as the `detail` of the security event, which the owner"
        " can read."
    ),
]

_ERRORS = (
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, SECOND_FACTOR_SETUP_REQUIRED, NOT_FOUND,"
    " TOO_MANY_ATTEMPTS"
)
_PROVED = f"{_ERRORS}, REAUTHENTICATION_REQUIRED"
_STAFF = " For ADMIN, and for SUPPORT if the account has no role."
_ADMIN = " For ADMIN."


@strawberry.input(description="The corrected values. A field that is left out stays as it is.")
class CorrectionInput:
    username: str | None = strawberry.field(description="The username.", default=None)
    email: str | None = strawberry.field(description="The email.", default=None)
    email_verified: bool = strawberry.field(
        description="Whether you know that the user reads mail at `email`.", default=False
    )


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Disables an account and ends all its sessions at once. The owner is told by mail, with the reason."
    f"{_STAFF}{_ERRORS}, INVALID_INPUT.",
)
async def disable_account(info: Info, id: AccountId, reason: Reason) -> Account:
    caller = info.context.caller()
    user = await admin.disable_account(
        info.context.services, info.context.device, caller, as_uuid(id), reason=reason
    )
    return Account.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Enables a disabled account. The owner is told by mail, with the reason."
    f"{_STAFF}{_ERRORS}, INVALID_INPUT.",
)
async def enable_account(info: Info, id: AccountId, reason: Reason) -> Account:
    caller = info.context.caller()
    user = await admin.enable_account(
        info.context.services, info.context.device, caller, as_uuid(id), reason=reason
    )
    return Account.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Refuses the password of an account until it has been reset, ends all its sessions, and sends the owner a"
    " link to reset it. A sign-in with the password then answers PASSWORD_RESET_REQUIRED."
    f"{_STAFF}{_ERRORS}, INVALID_INPUT: also for an account without a password, MAIL_NOT_CONFIGURED.",
)
async def require_password_reset(info: Info, id: AccountId, reason: Reason) -> Account:
    caller = info.context.caller()
    user = await admin.require_password_reset(
        info.context.services, info.context.device, caller, as_uuid(id), reason=reason
    )
    return Account.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Removes the authenticator app, the recovery codes and all passkeys of an account, ends all its sessions,"
    " and tells the owner by mail. Make sure before that it is the owner who asks for it. Not for your own account."
    f"{_STAFF}{_ERRORS}, INVALID_INPUT.",
)
async def remove_second_factors(info: Info, id: AccountId, reason: Reason) -> Account:
    caller = info.context.caller()
    removed = await admin.remove_second_factors(
        info.context.services, info.context.device, caller, as_uuid(id), reason=reason
    )
    return Account.of(removed.user, caller)


@strawberry.mutation(
    description=f"Ends all sessions of an account, and returns how many ended.{_STAFF}{_ERRORS}, INVALID_INPUT."
)
async def end_sessions_of(info: Info, id: AccountId, reason: Reason) -> int:
    return await admin.end_sessions_of(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        reason=reason,
    )


@strawberry.mutation(
    description=f"Grants a role.{_ADMIN}{_PROVED}, INVALID_INPUT: also for a disabled account, and for an unverified email where the"
    " server sends mail."
)
async def grant_role(
    info: Info,
    id: AccountId,
    role: Annotated[Role, strawberry.argument(description="The role to grant.")],
    reason: Reason,
) -> Account:
    caller = info.context.caller()
    user = await admin.grant_role(
        info.context.services, info.context.device, caller, as_uuid(id), role, reason=reason
    )
    return Account.of(user, caller)


@strawberry.mutation(
    description="Revokes a role. It permits nothing from the next request on. The last administrator stays one: FORBIDDEN."
    f"{_ADMIN}{_PROVED}, INVALID_INPUT."
)
async def revoke_role(
    info: Info,
    id: AccountId,
    role: Annotated[Role, strawberry.argument(description="The role to revoke.")],
    reason: Reason,
) -> Account:
    caller = info.context.caller()
    user = await admin.revoke_role(
        info.context.services, info.context.device, caller, as_uuid(id), role, reason=reason
    )
    return Account.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Starts a session in which you act in place of a user, who must have no role. It lasts thirty minutes, is on"
    " record for both, and is shown to the owner, who is told by mail. It cannot change the account, and ends with `logout`,"
    f" or when you lose the role or end all your sessions.{_ADMIN}{_PROVED}, INVALID_INPUT: also for a request with the"
    " header `Gatehouse-Session: cookie`, since the tokens must not replace your own.",
)
async def impersonate(info: Info, id: AccountId, reason: Reason) -> Token:
    if info.context.browser_session is not None:
        raise InvalidInput("Send this without the header Gatehouse-Session.")
    signed_in = await admin.impersonate(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        reason=reason,
    )
    return Token.of(signed_in, None)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Corrects the username, the email or both: all or, on an error, nothing. The owner is told by mail, of a new"
    " email at both addresses. A new email is not verified, unless you say so."
    f"{_ADMIN}{_PROVED}, INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN.",
)
async def correct_account(
    info: Info,
    id: AccountId,
    input: Annotated[CorrectionInput, strawberry.argument(description="The corrections.")],
    reason: Reason,
) -> Account:
    caller = info.context.caller()
    user = await admin.correct_account(
        info.context.services,
        info.context.device,
        caller,
        as_uuid(id),
        reason=reason,
        username=input.username,
        email=input.email,
        email_verified=input.email_verified,
    )
    return Account.of(user, caller)


@strawberry.mutation(
    description="Deletes an account with everything that belongs to it, permanently, and returns its id. Security events"
    f" stay for some time.{_ADMIN}{_PROVED}, INVALID_INPUT.",
)
async def delete_account(
    info: Info,
    id: AccountId,
    reason: Reason,
    erase: Annotated[
        bool,
        strawberry.argument(
            description="Whether the devices, addresses and details of its security events are removed as well."
        ),
    ] = False,
) -> strawberry.ID:
    await admin.delete_account(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        reason=reason,
        erase=erase,
    )
    return id


@strawberry.mutation(
    metadata=cost(EXPORT),
    description="Returns all that is stored about a user, without secrets, as `exportMyData` does. It is on record."
    f"{_ADMIN}{_PROVED}, INVALID_INPUT.",
)
async def export_account(info: Info, id: AccountId, reason: Reason) -> JSON:
    data = await admin.export_account(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        reason=reason,
    )
    return exported(data, info)
