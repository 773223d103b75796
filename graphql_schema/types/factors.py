"""Second factors, for their owner."""

from typing import Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.scalars import JSON

from domain import authentication, qr_codes
from domain.authentication import MAX_PASSKEYS, factors, totp
from domain.authentication.factors import SecondFactor
from domain.authentication.reauthentication import ProofMethod
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.enums import publish
from graphql_schema.types.passkeys import (
    Passkey,
    accepted_passkeys_of,
    for_browsers,
    passkeys_of,
)

publish(
    SecondFactor,
    name="SecondFactor",
    description="What completes a sign-in after SECOND_FACTOR_REQUIRED.",
    values={
        SecondFactor.TOTP: "A code of the authenticator app, with `passSecondFactor`.",
        SecondFactor.RECOVERY_CODE: "A recovery code, with `passSecondFactor`.",
        SecondFactor.PASSKEY: "A passkey, with `signInByPasskey`: it is a sign-in of its own, and both factors.",
    },
)

publish(
    ProofMethod,
    name="ReauthenticationMethod",
    description="The values of `extensions.methods` of REAUTHENTICATION_REQUIRED: how to prove again who you are.",
    values={
        ProofMethod.PASSWORD: "The password, with `reauthenticate` or in the arguments of the mutation.",
        ProofMethod.TOTP: "A code of the authenticator app, with `reauthenticate`.",
        ProofMethod.RECOVERY_CODE: "A recovery code, with `reauthenticate`.",
        ProofMethod.PASSKEY: "A passkey, with `reauthenticate`.",
        ProofMethod.SIGN_IN: "A new sign-in: the account has neither a password nor a factor.",
    },
)


@strawberry.type(
    description="What is in `extensions.challenge` of SECOND_FACTOR_REQUIRED. No field returns it: it is here for code"
    " generators."
)
class SecondFactorChallenge:
    ticket: str = strawberry.field(
        description="Pass it to `passSecondFactor`, together with a code. It is dead after five wrong codes."
    )
    methods: list[SecondFactor] = strawberry.field(
        metadata=cost(LIST_QUERY, entries=len(SecondFactor)),
        description="What completes the sign-in.",
    )
    expires_in: int = strawberry.field(
        description="The number of seconds until the ticket expires."
    )


@strawberry.type(description="A new authenticator app, until `confirmTotp` takes it into use.")
class TotpSetup:
    secret: str = strawberry.field(
        description="The seed in base32, to type it into an app that reads no QR code."
    )
    uri: str = strawberry.field(
        description="The address that a QR code for the app has: `otpauth://totp/...`."
    )

    @strawberry.field(
        description="The QR code of `uri` as an SVG image. Never let another server draw it: it is the secret."
    )
    def qr_code(self) -> str:
        return qr_codes.svg(self.uri)

    @classmethod
    def of(cls, setup: totp.TotpSetup) -> Self:
        return cls(secret=setup.secret, uri=setup.uri)

    # A repr could put the secret into a log.
    __repr__ = object.__repr__


@strawberry.type(description="What you can prove who you are with, besides your password.")
class Factors:
    totp: bool = strawberry.field(
        description="Whether an authenticator app is in use. If so, every sign-in needs a code of it or a passkey."
    )
    recovery_codes_left: int = strawberry.field(
        description="How many recovery codes have not been used."
    )

    user_id: strawberry.Private[UUID]

    @strawberry.field(
        metadata=cost(LIST_QUERY, entries=MAX_PASSKEYS),
        description=f"The passkeys, the oldest first, at most {MAX_PASSKEYS}.",
    )
    async def passkeys(self, info: Info) -> list[Passkey]:
        return await info.context.loaders.of(passkeys_of).load(self.user_id)

    @strawberry.field(
        metadata=cost(LIST_QUERY),
        description="What `PublicKeyCredential.signalAllAcceptedCredentials` takes: call it after a passkey was removed, so"
        " that the browser no longer offers it. Null for a user who has never added one.",
    )
    async def accepted_passkeys(self, info: Info) -> JSON | None:
        party = info.context.services.relying_party
        accepted = await info.context.loaders.of(accepted_passkeys_of).load(self.user_id)
        return for_browsers(accepted, party.id) if accepted and party else None

    @classmethod
    def of(cls, found: factors.Factors, user_id: UUID) -> Self:
        return cls(totp=found.totp, recovery_codes_left=found.recovery_codes_left, user_id=user_id)


async def factors_of_users(session: AsyncSession, user_ids: list[UUID]) -> list[Factors]:
    found = await authentication.factors_of(session, user_ids)
    return [Factors.of(found[user_id], user_id) for user_id in user_ids]
