"""Every refusal of the house, by its stable code. No status codes here: each edge has its own."""

import logging
import traceback
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from db.errors import is_away, reason

logger = logging.getLogger("gatehouse")

Fields = Mapping[str, list[str]]
"""Sentences by the name of the argument at fault, in the domain's spelling: ``{"new_password": ["..."]}``."""


class ErrorCode(StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    INVALID_INPUT = "INVALID_INPUT"
    USERNAME_TAKEN = "USERNAME_TAKEN"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    QUERY_TOO_COSTLY = "QUERY_TOO_COSTLY"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    OVERLOADED = "OVERLOADED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"


class DomainError(Exception):
    """A refusal: a code for programs, a plain sentence for people, and the fields at fault, if any are."""

    code: ClassVar[ErrorCode]
    sentence: ClassVar[str]

    def __init__(self, sentence: str | None = None, *, fields: Fields | None = None) -> None:
        super().__init__(sentence or self.sentence)
        self.fields = fields or {}

    @property
    def message(self) -> str:
        return str(self)


class Unauthenticated(DomainError):
    code = ErrorCode.UNAUTHENTICATED
    sentence = "This needs a valid access token in the header `Authorization: Bearer ...`."


class TokenExpired(Unauthenticated):
    code = ErrorCode.TOKEN_EXPIRED
    sentence = "The access token has expired; refresh it or log in again."


class SessionEnded(Unauthenticated):
    sentence = "This session has ended; log in again."


class InvalidRefreshToken(Unauthenticated):
    sentence = "The refresh token cannot be used, or not any more; log in again."

    def __init__(self) -> None:
        super().__init__(fields={"refresh_token": [self.sentence]})


class InvalidCredentials(DomainError):
    code = ErrorCode.INVALID_CREDENTIALS
    sentence = "The username or the password is wrong."


class Forbidden(DomainError):
    code = ErrorCode.FORBIDDEN
    sentence = "This is not yours to change."


class NotFound(DomainError):
    code = ErrorCode.NOT_FOUND
    sentence = "There is no such thing."


class QueryTooCostly(DomainError):
    code = ErrorCode.QUERY_TOO_COSTLY
    sentence = "The document asks for more than one request may."


class InvalidInput(DomainError):
    code = ErrorCode.INVALID_INPUT
    sentence = "The input is not valid; `fields` says what to mend."


class UsernameTaken(DomainError):
    code = ErrorCode.USERNAME_TAKEN
    sentence = "This username, or one that reads the same, is taken."

    def __init__(self) -> None:
        super().__init__(fields={"username": [self.sentence]})


class EmailTaken(DomainError):
    code = ErrorCode.EMAIL_TAKEN
    sentence = "An account with this email exists already."

    def __init__(self) -> None:
        super().__init__(fields={"email": [self.sentence]})


class TooManyAttempts(DomainError):
    """``retry_after`` in seconds: when the next attempt may be made."""

    code = ErrorCode.TOO_MANY_ATTEMPTS

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts; try again in {retry_after} seconds.")
        self.retry_after = retry_after


class Overloaded(DomainError):
    code = ErrorCode.OVERLOADED
    sentence = "Too many passwords are being checked just now; try again in a moment."


class Unavailable(DomainError):
    code = ErrorCode.UNAVAILABLE
    sentence = "The database cannot be reached just now; try again in a moment."


class InternalError(DomainError):
    code = ErrorCode.INTERNAL_ERROR
    sentence = "Something went wrong on our side."


def refuse(**problems: list[str]) -> None:
    """Raises InvalidInput if there is a problem with any of the fields."""
    at_fault = {field: found for field, found in problems.items() if found}
    if at_fault:
        raise InvalidInput(fields=at_fault)


def code_for(error: Exception) -> ErrorCode:
    """What `refusal_for` comes to, without a word in the log."""
    if isinstance(error, DomainError):
        return error.code
    return ErrorCode.UNAVAILABLE if is_away(error) else ErrorCode.INTERNAL_ERROR


def refusal_for(error: Exception, *, request_id: str) -> DomainError:
    """What a caller may be told about any error. One that is no refusal is logged, with what finds its cause."""
    if isinstance(error, DomainError):
        return error
    if is_away(error):
        logger.error("request %s: the database is away: %s", request_id, reason(error))
        return Unavailable()
    frames = "".join(traceback.format_tb(error.__traceback__))
    # Apart from the message: a line of the log is a line.
    logger.error("request %s: %s", request_id, _summary(error), extra={"traceback": frames})
    return InternalError(f"{InternalError.sentence} The log knows more under request {request_id}.")


def _summary(error: Exception) -> str:
    """The error without its text, which may quote what a client sent or what a row holds: PostgreSQL's details quote
    the whole row, the hash included."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, DBAPIError):
        return f"{name} ({getattr(error.orig, 'sqlstate', None) or type(error.orig).__name__})"
    return name
