"""Render a mail: what a row of the outbox says, as the message that is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Literal
from uuid import UUID

from domain import emails
from domain.mail.brand import Brand
from domain.mail.languages import language_of
from domain.mail.templates import Template, Templates


@dataclass(frozen=True, slots=True)
class MailRenderer:
    """What all mails share.

    ``sender`` is MAIL_FROM, with or without a name. ``pages`` is the URL that mails link to: the
    application's, or that of the account pages.
    """

    sender: str
    pages: str
    brand: Brand = field(default_factory=Brand)
    templates: Templates = field(default_factory=Templates)

    def render(
        self,
        payload: Mapping[str, Any],
        *,
        id: UUID,
        date: datetime,
        token: str | None = None,
        code: str | None = None,
    ) -> EmailMessage:
        """Return the message of an outbox row with the id, made at the date.

        ``token`` and ``code`` are those of the row's ticket. A message that is rendered again has
        the same Message-ID, so that mail programs show it once.

        Raises ValueError if the template does not exist, a value that it needs is missing, or a
        header would have a line break.
        """
        template = Template(payload["template"])
        language = language_of(payload.get("language"))
        parts = self.templates.render(
            template, language.code, self.values(payload, token=token, code=code)
        )
        message = self._envelope(payload["to"], parts.subject, id, date)
        message.set_content(parts.text)
        message.add_alternative(parts.html, subtype="html")
        message["Content-Language"] = language.code
        return message

    def values(
        self, payload: Mapping[str, Any], *, token: str | None = None, code: str | None = None
    ) -> dict[str, Any]:
        """Return what templates may use. A mail without a ticket has no token and no code."""
        language = language_of(payload.get("language"))
        secrets = {"token": token, "code": code}
        return {
            **payload.get("values", {}),
            **{name: secret for name, secret in secrets.items() if secret is not None},
            "brand": self.brand,
            "language": language.code,
            "page": self._page,
            "moment": language.moment,
            "duration": language.duration,
        }

    def _page(self, name: str = "", **fragment: str) -> str:
        """Return the URL of a page, or of all pages.

        A secret stands in the fragment, which browsers send to no server, not even as a Referer.
        """
        secrets = "&".join(f"{key}={value}" for key, value in fragment.items())
        return f"{self.pages}/{name}".removesuffix("/") + (f"#{secrets}" if secrets else "")

    def _envelope(self, to: str, subject: str, id: UUID, date: datetime) -> EmailMessage:
        """Return a message with headers. EmailMessage refuses line breaks in all of them."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        (sender,) = message["From"].addresses
        if not sender.display_name:
            message.replace_header("From", Address(self.brand.name, addr_spec=sender.addr_spec))
        message["To"] = Address(addr_spec=_in_ascii(to))
        message["Subject"] = subject
        message["Date"] = date
        message["Message-ID"] = f"<{id}@{sender.domain}>"
        # RFC 3834 section 5: nothing responds to it automatically.
        message["Auto-Submitted"] = "auto-generated"
        return message


def _in_ascii(email: str) -> str:
    """Return an address as every mail server takes it: with its domain in ASCII."""
    key = emails.key(email)
    if key is None:
        raise ValueError("The address of the recipient cannot be used.")
    return key


def part_of(message: EmailMessage, subtype: Literal["plain", "html"]) -> str:
    """Return the text or the HTML of a message, as its reader sees it."""
    body = message.get_body((subtype,))
    content: str = body.get_content() if body else ""
    return content
