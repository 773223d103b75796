"""Every mail in every language, rendered with sample values."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.mail.languages import LANGUAGES
from domain.mail.render import MailRenderer
from domain.mail.templates import Template, TemplateError, Templates

_QUARTER_OF_AN_HOUR = 15 * 60
_DAY = 24 * 60 * 60
_MOMENT = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)

_NOTICE = {
    "at": _MOMENT.isoformat(),
    "device": "Firefox on Linux",
    "ip": "192.0.2.17",
    "expires_in": 4 * 24 * 60 * 60,
    "removes": True,
}

#: The values that each template needs from the payload of its outbox row.
SAMPLES: dict[Template, dict[str, Any]] = {
    Template.VERIFY_EMAIL: {"expires_in": _QUARTER_OF_AN_HOUR},
    Template.CHANGE_EMAIL: {"expires_in": _QUARTER_OF_AN_HOUR},
    Template.EMAIL_CHANGED: {"at": _MOMENT.isoformat(), "expires_in": _DAY},
    Template.RESET_PASSWORD: {"expires_in": _QUARTER_OF_AN_HOUR},
    Template.SIGN_IN_CODE: {"expires_in": 10 * 60},
    Template.REGISTRATION_CODE: {"expires_in": _QUARTER_OF_AN_HOUR},
    Template.REGISTRATION_EXISTS: {},
    Template.PASSWORD_CHANGED: _NOTICE,
    Template.NEW_SIGN_IN: _NOTICE,
    Template.TOTP_ADDED: _NOTICE,
    Template.TOTP_REMOVED: _NOTICE,
    Template.RECOVERY_CODE_USED: {**_NOTICE, "codes_left": 9},
    Template.RECOVERY_CODES_REPLACED: _NOTICE,
    Template.PASSKEY_ADDED: {**_NOTICE, "passkey": "Work laptop"},
    Template.PASSKEY_REMOVED: {**_NOTICE, "passkey": "Work laptop"},
    Template.PASSKEY_COUNTER: {**_NOTICE, "passkey": "Work laptop"},
    Template.FACTORS_REMOVED: _NOTICE,
    Template.ADMINISTERED: {
        "at": _MOMENT.isoformat(),
        "act": "disabled",
        "reason": "Sent unwanted messages",
    },
    Template.PASSWORD_RESET_REQUIRED: {"expires_in": _QUARTER_OF_AN_HOUR},
    Template.IDENTITY_LINKED: {**_NOTICE, "provider": "GitHub"},
    Template.IDENTITY_UNLINKED: {**_NOTICE, "provider": "GitHub"},
    Template.ACCOUNT_MAIL_TEST: {"at": _MOMENT.isoformat()},
}

#: As long as a real one.
_TOKEN = "AZ1lQk2mdnKfOq3Y7dYrHgd6yG0Yw2M5nV8QmWc4xJ1tUeS9aRbLhFzKpDiE3oTu"
_CODE = "482913"


@dataclass(frozen=True, slots=True)
class Preview:
    template: Template
    language: str
    message: EmailMessage


def previews(renderer: MailRenderer, *languages: str) -> Iterator[Preview]:
    """Yield the mails in these languages, or in all. Raises ValueError for a broken template."""
    for language in languages or LANGUAGES:
        for number, (template, values) in enumerate(SAMPLES.items()):
            payload = {
                "template": template,
                "language": language,
                "to": "ada@example.com",
                "values": values,
            }
            message = renderer.render(
                payload, id=UUID(int=number), date=_MOMENT, token=_TOKEN, code=_CODE
            )
            yield Preview(template, language, message)


def require_usable(renderer: MailRenderer, folder: Path) -> None:
    """Raise ValueError, with the file and the line, if a template of the folder cannot be used."""
    templates = Templates(folder, falls_back=False)
    try:
        templates.require_known_files()
        for _ in previews(replace(renderer, templates=templates)):
            pass
    except TemplateError as error:
        raise ValueError(f"MAIL_TEMPLATES_DIR: {error}") from None
