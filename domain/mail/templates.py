"""The templates of mails: ours, and those of MAIL_TEMPLATES_DIR, which override ours file by file.

Each mail has two files in the folder of each language. The text has the blocks `subject` and `body`
and the HTML the block `body`; both extend a layout that all languages share.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.mail.languages import LANGUAGES

if TYPE_CHECKING:
    from jinja2 import Environment

logger = logging.getLogger("gatehouse")

OURS = Path(__file__).parent / "templates"


class Template(StrEnum):
    VERIFY_EMAIL = "verify_email"
    #: To the new address.
    CHANGE_EMAIL = "change_email"
    #: To the former address.
    EMAIL_CHANGED = "email_changed"
    RESET_PASSWORD = "reset_password"
    SIGN_IN_CODE = "sign_in_code"
    REGISTRATION_CODE = "registration_code"
    #: To the owner of an address that someone tried to register.
    REGISTRATION_EXISTS = "registration_exists"
    PASSWORD_CHANGED = "password_changed"
    NEW_SIGN_IN = "new_sign_in"
    TOTP_ADDED = "totp_added"
    TOTP_REMOVED = "totp_removed"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_REPLACED = "recovery_codes_replaced"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COUNTER = "passkey_counter"
    FACTORS_REMOVED = "factors_removed"
    #: What an administrator or the operator did to the account.
    ADMINISTERED = "administered"
    PASSWORD_RESET_REQUIRED = "password_reset_required"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    ACCOUNT_MAIL_TEST = "account_mail_test"


class TemplateError(ValueError):
    """A file that cannot be used. The message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Parts:
    subject: str
    text: str
    html: str


class Templates:
    """Our templates, or those of a folder where it has them."""

    def __init__(self, folder: Path | None = None, *, falls_back: bool = True) -> None:
        self._folder = folder
        self._falls_back = folder is not None and falls_back

    def render(self, template: Template, language: str, values: Mapping[str, Any]) -> Parts:
        """Render a mail. If a file of the folder fails, log that and render the mail with ours.

        Raises TemplateError if our file fails, or if there is to be no falling back.
        """
        try:
            return _parts(self._overridden, template, language, values)
        except TemplateError as error:
            if not self._falls_back:
                raise
            logger.error("MAIL_TEMPLATES_DIR: %s. The mail has our text.", error)
            return _parts(self._ours, template, language, values)

    def require_known_files(self) -> None:
        """Raise TemplateError if the folder is missing, or overrides a file that we do not have."""
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise TemplateError(f"{self._folder} is not a folder")
        for language in LANGUAGES:
            for file in (self._folder / language).glob("*.*"):
                name = f"{language}/{file.name}"
                if file.suffix in (".txt", ".html") and not (OURS / name).exists():
                    raise TemplateError(f"{name} is not the name of a template")

    @cached_property
    def _ours(self) -> "Environment":
        return _environment(OURS)

    @cached_property
    def _overridden(self) -> "Environment":
        return _environment(self._folder, OURS) if self._folder else self._ours


def without_links(text: str) -> str:
    """Return the beginning of a client's text that no mail program makes a link of."""
    return re.split(r"[^\w +-]", text, maxsplit=1)[0].strip()


def _environment(*folders: Path) -> "Environment":
    # Imported here: most processes send no mail before they have started.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["without_links"] = without_links
    return environment


def _parts(
    environment: "Environment", template: Template, language: str, values: Mapping[str, Any]
) -> Parts:
    try:
        return _render(environment, template, language, values)
    # A template can raise anything.
    except Exception as error:
        raise TemplateError(_describe(error, template, language)) from error


def _render(
    environment: "Environment", template: Template, language: str, values: Mapping[str, Any]
) -> Parts:
    text = environment.get_template(f"{language}/{template}.txt")
    html = environment.get_template(f"{language}/{template}.html")
    context = text.new_context(dict(values))
    if "subject" not in text.blocks:
        raise TemplateError(f"{language}/{template}.txt has no block `subject`")
    subject = "".join(text.blocks["subject"](context)).strip()
    if len(subject.splitlines()) != 1:
        raise TemplateError(f"{language}/{template}.txt: the subject must have one line")
    return Parts(
        subject=subject,
        text=text.render(values).strip() + "\n",
        html=html.render(values, subject=subject).strip() + "\n",
    )


def _describe(error: Exception, template: Template, language: str) -> str:
    """Return the file and the line at fault with the reason, on one line."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, TemplateError):
        return reason
    # Only a TemplateSyntaxError has them; Jinja puts the lines of templates into tracebacks.
    file, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if file is None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _in_folder(frame)]
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else (None, None)
    if file is None:
        return f"{language}/{template}: {reason}"
    return f"{_short(Path(file))}, line {line}: {reason.removesuffix('.')}"


def _in_folder(frame: traceback.FrameSummary) -> bool:
    return Path(frame.filename).suffix in (".txt", ".html")


def _short(file: Path) -> str:
    """Return the name of a template: `en/verify_email.txt`, or `layout.txt`."""
    return f"{file.parent.name}/{file.name}" if file.parent.name in LANGUAGES else file.name
