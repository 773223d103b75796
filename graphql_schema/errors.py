"""What a client learns of an error: a domain refusal by its code, a bad document in readable words, and of
everything else nothing but where to look in the log."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from domain.errors import DomainError, ErrorCode, TooManyAttempts, refusal_for

NO_SUCH_OPERATION = "The document has no operation of that name, or none at all."

# A message names what it is about, which a client may have made as long as a document.
MAX_MESSAGE_LENGTH = 500


@strawberry.enum(
    name="ErrorCode",
    description="What `extensions.code` of an error may be. The code is stable; the message may be reworded.",
)
class PublishedErrorCode(Enum):
    UNAUTHENTICATED = strawberry.enum_value(
        ErrorCode.UNAUTHENTICATED,
        description="There is no access token, or it or its session cannot be used (any more): log in again.",
    )
    TOKEN_EXPIRED = strawberry.enum_value(
        ErrorCode.TOKEN_EXPIRED, description="The access token has expired: refresh it."
    )
    INVALID_CREDENTIALS = strawberry.enum_value(
        ErrorCode.INVALID_CREDENTIALS,
        description="The username or the password is wrong, or the current password that was asked for.",
    )
    FORBIDDEN = strawberry.enum_value(
        ErrorCode.FORBIDDEN, description="It exists, and belongs to someone else."
    )
    NOT_FOUND = strawberry.enum_value(ErrorCode.NOT_FOUND, description="There is no such thing.")
    INVALID_INPUT = strawberry.enum_value(
        ErrorCode.INVALID_INPUT,
        description="The request or its input breaks a rule; `extensions.fields` has the sentences for each argument"
        " at fault.",
    )
    USERNAME_TAKEN = strawberry.enum_value(
        ErrorCode.USERNAME_TAKEN,
        description="Someone has this username, or one that reads the same.",
    )
    EMAIL_TAKEN = strawberry.enum_value(
        ErrorCode.EMAIL_TAKEN, description="An account with this email exists."
    )
    QUERY_TOO_COSTLY = strawberry.enum_value(
        ErrorCode.QUERY_TOO_COSTLY, description="The document asks for more than one request may."
    )
    TOO_MANY_ATTEMPTS = strawberry.enum_value(
        ErrorCode.TOO_MANY_ATTEMPTS,
        description="Too many attempts: wait for `extensions.retryAfter` seconds.",
    )
    OVERLOADED = strawberry.enum_value(
        ErrorCode.OVERLOADED, description="Too many passwords are being checked: try again soon."
    )
    UNAVAILABLE = strawberry.enum_value(
        ErrorCode.UNAVAILABLE,
        description="The database cannot be reached, or this took too long: try again soon. What was asked for may have"
        " been done all the same.",
    )
    INTERNAL_ERROR = strawberry.enum_value(
        ErrorCode.INTERNAL_ERROR,
        description="A fault of ours; `extensions.requestId` finds it in the log.",
    )
    GRAPHQL_PARSE_FAILED = strawberry.enum_value(
        ErrorCode.GRAPHQL_PARSE_FAILED, description="The document is not GraphQL."
    )
    GRAPHQL_VALIDATION_FAILED = strawberry.enum_value(
        ErrorCode.GRAPHQL_VALIDATION_FAILED,
        description="The document or its variables do not fit this schema.",
    )


def translate(error: GraphQLError, *, request_id: str, suggestions: bool) -> None:
    """Give an error the message and the extensions that a client may see, in place: Strawberry keeps the object."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted."):
        error.message = (
            "The document is longer or deeper than a request may send: it was not read to its end."
        )
        error.extensions = {"code": ErrorCode.QUERY_TOO_COSTLY}
    elif isinstance(error, GraphQLSyntaxError):
        error.message = _syntax_without_values(error.message)
        error.extensions = {"code": ErrorCode.GRAPHQL_PARSE_FAILED}
    elif isinstance(cause, MissingQueryError | CannotGetOperationTypeError):
        error.message = NO_SUCH_OPERATION
        error.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
    elif cause is None or isinstance(cause, GraphQLError | StrawberryInputCoercionError):
        message = _without_values(error.message)
        if not suggestions:
            message = message.partition(" Did you mean ")[0]
        error.message = message[:MAX_MESSAGE_LENGTH]
        error.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
    else:
        refusal = refusal_for(cause, request_id=request_id)
        error.message = refusal.message
        error.extensions = _extensions(refusal, request_id=request_id)


def codes_of(errors: Sequence[GraphQLError]) -> list[str]:
    """The codes that translated errors have, each once."""
    return list(dict.fromkeys(str((error.extensions or {}).get("code")) for error in errors))


def _extensions(refusal: DomainError, *, request_id: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": refusal.code}
    if refusal.fields:
        extensions["fields"] = {
            _as_the_client_wrote_it(field): sentences for field, sentences in refusal.fields.items()
        }
    if isinstance(refusal, TooManyAttempts):
        extensions["retryAfter"] = refusal.retry_after
    if refusal.code is ErrorCode.INTERNAL_ERROR:
        extensions["requestId"] = request_id
    return extensions


def _as_the_client_wrote_it(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


# graphql-core quotes what it found, and what it found may be a password: a string whose quotation marks were
# forgotten, a number in a variable. What it expected comes from the grammar or the schema.
_SYNTAX_WITHOUT_VALUE = re.compile(
    r"Syntax Error: (?:Expected [^,]+, found|Unexpected)"
    r" (?:Name|String|BlockString|Int|Float|<EOF>|'[^\w\s]{1,3}')"
)
_QUOTATION = re.compile(r"['\"]")
_FOUND = re.compile(
    r"(cannot represent [\w -]*value): .*|[,.?] [Ff]ound: .*|, but encountered error .*",
    re.DOTALL,
)
# A password that begins with a dollar sign.
_UNDEFINED_VARIABLE = re.compile(r"Variable '\$\w*' is not defined")


def _syntax_without_values(message: str) -> str:
    known = _SYNTAX_WITHOUT_VALUE.match(message)
    kept = known[0] if known else _QUOTATION.split(message, maxsplit=1)[0]
    return kept.rstrip(" .:,(") + "."


def _without_values(message: str) -> str:
    message = _UNDEFINED_VARIABLE.sub("A variable is not defined", message, count=1)
    return _FOUND.sub(r"\1.", message, count=1)
