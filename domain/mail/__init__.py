"""Mails to users: their templates, and the messages that are rendered from them."""

from domain.mail.render import MailRenderer
from domain.mail.templates import Template

__all__ = ["MailRenderer", "Template"]
