"""Tell users by mail what an administrator or the operator did to their account."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain.mail.mailer import NOTICE_LIFETIME
from domain.mail.templates import Template
from domain.services import Services


class Act(StrEnum):
    """What the mail reports. The template has a sentence for each."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    USERNAME_CORRECTED = "username_corrected"
    EMAIL_CORRECTED = "email_corrected"
    IMPERSONATED = "impersonated"


def tell(
    session: AsyncSession, services: Services, user: User, act: Act, *, reason: str | None = None
) -> None:
    """Add a mail to the transaction, if the server sends mail. The user must be loaded with
    ``RECIPIENT``.

    It has no link that secures the account: a stranger who reads mail at a wrong address must not
    be able to sign the owner out.
    """
    if services.mailer is None:
        return
    services.mailer.add(
        session,
        Template.ADMINISTERED,
        user,
        lifetime=NOTICE_LIFETIME,
        values={"at": datetime.now(UTC).isoformat(), "act": act, "reason": reason},
    )
