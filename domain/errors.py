"""Every error of the domain, each with a stable code. Status codes belong to the edges."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from db.errors import is_away, is_conflict, reason

logger = logging.getLogger("gatehouse")

Fields = Mapping[str, list[str]]
"""Messages by the argument at fault, as Python writes it: ``{"new_password": ["..."]}``."""


class ErrorCode(StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    ACCOUNT_DISABLED = "ACCOUNT_DISABLED"
    PASSWORD_RESET_REQUIRED = "PASSWORD_RESET_REQUIRED"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    SECOND_FACTOR_SETUP_REQUIRED = "SECOND_FACTOR_SETUP_REQUIRED"
    REAUTHENTICATION_REQUIRED = "REAUTHENTICATION_REQUIRED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    INVALID_INPUT = "INVALID_INPUT"
    USERNAME_TAKEN = "USERNAME_TAKEN"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    INVALID_CODE = "INVALID_CODE"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    REGISTRATION_CLOSED = "REGISTRATION_CLOSED"
    CAPTCHA_REQUIRED = "CAPTCHA_REQUIRED"
    MAIL_NOT_CONFIGURED = "MAIL_NOT_CONFIGURED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    QUERY_TOO_COSTLY = "QUERY_TOO_COSTLY"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    OVERLOADED = "OVERLOADED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"


class DomainError(Exception):
    """An error that a client may see: a code for programs, a message for people, and the fields at
    fault, if any."""

    code: ClassVar[ErrorCode]
    message: str

    def __init__(self, message: str | None = None, *, fields: Fields | None = None) -> None:
        self.message = message or self.message
        self.fields = fields or {}
        super().__init__(self.message)


class Unauthenticated(DomainError):
    code = ErrorCode.UNAUTHENTICATED
    message = "Send a valid access token in the header `Authorization: Bearer <token>`."


class TokenExpired(Unauthenticated):
    code = ErrorCode.TOKEN_EXPIRED
    message = "The access token has expired. Refresh it or log in again."


class SessionEnded(Unauthenticated):
    message = "This session has ended. Log in again."


class InvalidRefreshToken(Unauthenticated):
    message = "The refresh token is invalid, expired or already used. Log in again."

    def __init__(self) -> None:
        super().__init__(fields={"refresh_token": [self.message]})


class InvalidCredentials(DomainError):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "The username or the password is wrong."


class AccountDisabled(DomainError):
    """The proof was right. Only then does anyone see that the account exists."""

    code = ErrorCode.ACCOUNT_DISABLED
    message = "This account is disabled. Ask the people who run this service."


class PasswordResetRequired(DomainError):
    """The password was right, and cannot be used before it has been reset by mail."""

    code = ErrorCode.PASSWORD_RESET_REQUIRED
    message = "This password cannot be used any more. Reset it by the link in the mail."


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is missing for a sign-in: one of the ``methods``, together with the ticket, within the
    lifetime."""

    ticket: str = field(repr=False)
    methods: Sequence[str]
    lifetime: timedelta


class SecondFactorRequired(DomainError):
    """The first factor was right, and a second one is due. No session has started."""

    code = ErrorCode.SECOND_FACTOR_REQUIRED
    message = "Enter a code of your authenticator app."

    def __init__(self, challenge: Challenge) -> None:
        super().__init__()
        self.challenge = challenge


class SecondFactorSetupRequired(DomainError):
    code = ErrorCode.SECOND_FACTOR_SETUP_REQUIRED
    message = "This server requires a second factor. Set up an authenticator app or a passkey."


class ReauthenticationRequired(DomainError):
    """The session alone is not enough. ``methods`` are the ways to confirm who the caller is."""

    code = ErrorCode.REAUTHENTICATION_REQUIRED
    message = "Confirm that this is your account."

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__()
        self.methods = methods


class Forbidden(DomainError):
    code = ErrorCode.FORBIDDEN
    message = "You are not allowed to change this."


class NotFound(DomainError):
    code = ErrorCode.NOT_FOUND
    message = "Not found."


class QueryTooCostly(DomainError):
    code = ErrorCode.QUERY_TOO_COSTLY
    message = "The document exceeds a limit for one request."


class QuotaExceeded(DomainError):
    code = ErrorCode.QUOTA_EXCEEDED


class InvalidInput(DomainError):
    code = ErrorCode.INVALID_INPUT
    message = "The input is invalid. See `fields`."


class UsernameRequired(InvalidInput):
    """A new account needs a username. ``suggestion`` is one that may be free, or None."""

    def __init__(self, suggestion: str | None) -> None:
        super().__init__(fields={"username": ["Choose a username for your new account."]})
        self.suggestion = suggestion


class UsernameTaken(DomainError):
    code = ErrorCode.USERNAME_TAKEN
    message = "This username, or one that looks the same, is already taken."

    def __init__(self) -> None:
        super().__init__(fields={"username": [self.message]})


class EmailTaken(DomainError):
    code = ErrorCode.EMAIL_TAKEN
    message = "An account with this email already exists."

    def __init__(self, field: str = "email") -> None:
        super().__init__(fields={field: [self.message]})


class InvalidCode(DomainError):
    """A code, a token of a mail or a passkey, in the ``field``. It never says whether it is wrong,
    used or expired."""

    code = ErrorCode.INVALID_CODE
    message = "The code or the link is wrong, expired or already used. Request a new one."

    def __init__(self, field: str, message: str | None = None) -> None:
        super().__init__(message, fields={field: [message or self.message]})


class UnknownCredential(InvalidCode):
    """A passkey that no account has. A browser may be told, so that it no longer offers it."""


class EmailNotVerified(DomainError):
    code = ErrorCode.EMAIL_NOT_VERIFIED
    message = (
        "Use startRegistration: this server creates an account only after its email is proven."
    )


class RegistrationClosed(DomainError):
    code = ErrorCode.REGISTRATION_CLOSED
    message = "This server creates no accounts."


class CaptchaRequired(DomainError):
    """There is no token of a captcha, or it is wrong, expired or already used."""

    code = ErrorCode.CAPTCHA_REQUIRED
    message = "Solve the captcha, and send its token in the header X-Captcha-Token. It works once."


class NotConfigured(DomainError):
    """The server lacks a setting that this needs. The message names it."""

    code = ErrorCode.NOT_CONFIGURED


class MailNotConfigured(DomainError):
    code = ErrorCode.MAIL_NOT_CONFIGURED
    message = "This server sends no mail."


class TooManyAttempts(DomainError):
    """A rate limit is reached. ``retry_after`` is the number of seconds until the next attempt is
    allowed."""

    code = ErrorCode.TOO_MANY_ATTEMPTS

    def __init__(self, retry_after: int, reason: str = "Too many attempts.") -> None:
        super().__init__(f"{reason} Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class Overloaded(DomainError):
    code = ErrorCode.OVERLOADED
    message = "The server is busy verifying other passwords. Try again in a moment."


class PersistedQueryNotSupported(DomainError):
    """A request with the hash of a document. Clients know this message or this code, by Apollo's
    convention, and send the document."""

    code = ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
    message = "PersistedQueryNotSupported"


class PersistedQueryNotFound(DomainError):
    """A request with an id that no trusted document has. By the same convention, clients send the
    document, and ids again in other requests."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND
    message = "PersistedQueryNotFound"


class DocumentNotTrusted(DomainError):
    code = ErrorCode.DOCUMENT_NOT_TRUSTED
    message = "This server accepts only the documents that it knows."


class Unavailable(DomainError):
    code = ErrorCode.UNAVAILABLE
    message = "The database is not available. Try again in a moment."


class CaptchaUnavailable(Unavailable):
    message = "The captcha cannot be verified at present. Try again in a moment."


class InternalError(DomainError):
    code = ErrorCode.INTERNAL_ERROR
    message = "Something went wrong on the server."


def raise_invalid(**problems: list[str]) -> None:
    """Raise InvalidInput if any field has a problem."""
    at_fault = {field: found for field, found in problems.items() if found}
    if at_fault:
        raise InvalidInput(fields=at_fault)


def code_for(error: Exception) -> ErrorCode:
    """Return the code that `to_domain_error` would give, without logging anything."""
    if isinstance(error, DomainError):
        return error.code
    if is_conflict(error):
        return ErrorCode.OVERLOADED
    return ErrorCode.UNAVAILABLE if is_away(error) else ErrorCode.INTERNAL_ERROR


def to_domain_error(error: Exception, *, request_id: str) -> DomainError:
    """Return what a client may see of any error. An unexpected one is logged under the id of its
    request."""
    if isinstance(error, DomainError):
        return error
    if is_away(error):
        logger.error("Request %s: the database is not available: %s", request_id, reason(error))
        return Unavailable()
    if is_conflict(error):
        logger.error("Request %s: other transactions conflict: %s", request_id, reason(error))
        return Overloaded("Others are changing the same data. Try again in a moment.")
    frames = "".join(traceback.format_tb(error.__traceback__))
    # Kept out of the message, which must stay on one line.
    logger.error("Request %s: %s", request_id, _summary(error), extra={"traceback": frames})
    return InternalError(f"{InternalError.message} See request {request_id} in the log.")


def _summary(error: Exception) -> str:
    """Return the class of an error without its text, which may quote what a client sent or a row of
    the database. (PostgreSQL's details quote the whole row, the password hash included.)"""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, DBAPIError):
        return f"{name} ({getattr(error.orig, 'sqlstate', None) or type(error.orig).__name__})"
    return name
