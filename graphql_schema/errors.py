"""Errors as clients see them: a domain error with its code, an invalid document with a message, and
any other error with the id of its request only."""

import re
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, GraphQLFormattedError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from domain.errors import (
    DomainError,
    ErrorCode,
    ReauthenticationRequired,
    SecondFactorRequired,
    TooManyAttempts,
    UnknownCredential,
    UsernameRequired,
    to_domain_error,
)
from graphql_schema.enums import publish

NO_SUCH_OPERATION = "The document has no operation, or none of this name."

# Messages quote names, which can be as long as a document.
MAX_MESSAGE_LENGTH = 500


publish(
    ErrorCode,
    name="ErrorCode",
    description="The values of `extensions.code`. A code is stable; the message may change.",
    values={
        ErrorCode.UNAUTHENTICATED: "No valid access token was sent, or its session has ended. Log in again.",
        ErrorCode.TOKEN_EXPIRED: "The access token has expired. Refresh it.",
        ErrorCode.INVALID_CREDENTIALS: "The username or the password is wrong, or the current password.",
        ErrorCode.ACCOUNT_DISABLED: "An administrator has disabled the account. The credentials were correct.",
        ErrorCode.PASSWORD_RESET_REQUIRED: "An administrator requires a new password: reset it by the link in the mail, or with"
        " `requestPasswordReset`.",
        ErrorCode.SECOND_FACTOR_REQUIRED: "The first factor was right, and a second one is required. `extensions.challenge` has"
        " the `ticket` for `passSecondFactor`, the `methods` that complete the sign-in (`TOTP`, `RECOVERY_CODE` or `PASSKEY`),"
        " and `expiresIn`, in seconds.",
        ErrorCode.SECOND_FACTOR_SETUP_REQUIRED: "This server requires a second factor, and the session has none. Set up an"
        " authenticator app, or sign in with a passkey.",
        ErrorCode.REAUTHENTICATION_REQUIRED: "The session alone is not enough: prove again who you are, with `reauthenticate`,"
        " in one of the ways in `extensions.methods`. `PASSWORD` is the current password, which some mutations also take as"
        " an argument; `TOTP` is a code of the authenticator app, `RECOVERY_CODE` a recovery code, and `PASSKEY` a passkey."
        " `SIGN_IN` means to sign in anew.",
        ErrorCode.FORBIDDEN: "The caller is not allowed to do this: the object belongs to another user, it takes a role, the session is"
        " impersonated, or the last administrator would be lost.",
        ErrorCode.NOT_FOUND: "There is no such object.",
        ErrorCode.INVALID_INPUT: "The input is invalid. `extensions.fields` has messages for each argument at fault.",
        ErrorCode.USERNAME_TAKEN: "The username, or one that looks the same, is already taken.",
        ErrorCode.EMAIL_TAKEN: "An account with this email already exists.",
        ErrorCode.INVALID_CODE: "A code, a token from a mail or a passkey is wrong, expired or already used."
        " With `extensions.unknownCredential`, no account has the passkey: a page may call"
        " `PublicKeyCredential.signalUnknownCredential`.",
        ErrorCode.EMAIL_NOT_VERIFIED: "The email must be proven first: with `verifyEmail`, or with `startRegistration` on a server"
        " that creates accounts only after that.",
        ErrorCode.REGISTRATION_CLOSED: "This server creates accounts by invitation only, or not at all.",
        ErrorCode.CAPTCHA_REQUIRED: "Solve a captcha, and send its token in the header `X-Captcha-Token`. One that was sent is wrong,"
        " expired or already used. Over WebSockets there is no such header.",
        ErrorCode.MAIL_NOT_CONFIGURED: "This server sends no mail, so what needs it is not available.",
        ErrorCode.NOT_CONFIGURED: "The server lacks a setting, which the message names, so what needs it is not available.",
        ErrorCode.QUERY_TOO_COSTLY: "The document exceeds a limit for one request.",
        ErrorCode.QUOTA_EXCEEDED: "The account holds as much as it may, or the session has as many subscriptions. Delete or complete one first.",
        ErrorCode.TOO_MANY_ATTEMPTS: "A rate limit is reached. Try again after `extensions.retryAfter` seconds.",
        ErrorCode.OVERLOADED: "The server is busy with other passwords, new documents or large responses. Try again in a moment.",
        ErrorCode.UNAVAILABLE: "The database is not available, a captcha cannot be verified, or the request took too long. Try again in a moment."
        " The request may have taken effect.",
        ErrorCode.INTERNAL_ERROR: "An error of the server. `extensions.requestId` identifies it in the log.",
        ErrorCode.GRAPHQL_PARSE_FAILED: "The document is not valid GraphQL.",
        ErrorCode.GRAPHQL_VALIDATION_FAILED: "The document or its variables do not match the schema.",
        ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED: "The request has the id of a document and no `query`. Send the document.",
        ErrorCode.PERSISTED_QUERY_NOT_FOUND: "The server knows no document with this id. Send the document.",
        ErrorCode.DOCUMENT_NOT_TRUSTED: "The server accepts only the documents that it knows. Use a client that was built for it.",
    },
)


def formatted(error: DomainError, *, request_id: str) -> GraphQLFormattedError:
    """Return an error of the domain as clients see it, where no field has raised it."""
    located = GraphQLError(error.message, original_error=error)
    translate(located, request_id=request_id, suggestions=False)
    return located.formatted


def translate(error: GraphQLError, *, request_id: str, suggestions: bool) -> None:
    """Set the message and the extensions that a client may see. Changes the error in place:
    Strawberry keeps it."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted."):
        error.message = "The document is too long or too deeply nested."
        error.extensions = {"code": ErrorCode.QUERY_TOO_COSTLY}
    elif isinstance(error, GraphQLSyntaxError):
        error.message = _syntax_without_values(error.message)
        error.extensions = {"code": ErrorCode.GRAPHQL_PARSE_FAILED}
    elif isinstance(cause, MissingQueryError | CannotGetOperationTypeError):
        error.message = NO_SUCH_OPERATION
        error.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
    elif cause is None or isinstance(cause, GraphQLError | StrawberryInputCoercionError):
        # Cut first: a variable can be as long as a request.
        message = _without_values(error.message[:MAX_MESSAGE_LENGTH])
        if not suggestions or message.startswith("Variable '$"):
            message = message.partition(" Did you mean ")[0]
        error.message = message
        error.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
    else:
        domain_error = to_domain_error(cause, request_id=request_id)
        error.message = domain_error.message
        error.extensions = _extensions(domain_error, request_id=request_id)
    _forget_frames(error)


def _forget_frames(error: GraphQLError) -> None:
    """Forget where an error was raised, which is logged by now if it has to be.

    The frames refer to the error, in circles that only garbage collection frees: it would take
    longer than a request when many errors are returned.
    """
    raised: BaseException | None = error
    while raised is not None:
        raised.__traceback__ = None
        inner = raised.original_error if isinstance(raised, GraphQLError) else None
        raised = inner or raised.__cause__ or raised.__context__


def codes_of(errors: Sequence[GraphQLError]) -> list[str]:
    """Return the codes of translated errors, each once."""
    return list(dict.fromkeys(str((error.extensions or {}).get("code")) for error in errors))


def _extensions(error: DomainError, *, request_id: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code}
    if error.fields:
        extensions["fields"] = {
            _camel_case(field): messages for field, messages in error.fields.items()
        }
    if isinstance(error, TooManyAttempts):
        extensions["retryAfter"] = error.retry_after
    if isinstance(error, SecondFactorRequired):
        challenge = error.challenge
        extensions["challenge"] = {
            "ticket": challenge.ticket,
            "methods": list(challenge.methods),
            "expiresIn": int(challenge.lifetime.total_seconds()),
        }
    if isinstance(error, UsernameRequired):
        extensions["suggestedUsername"] = error.suggestion
    if isinstance(error, ReauthenticationRequired):
        extensions["methods"] = list(error.methods)
    if isinstance(error, UnknownCredential):
        extensions["unknownCredential"] = True
    if error.code is ErrorCode.INTERNAL_ERROR:
        extensions["requestId"] = request_id
    return extensions


def _camel_case(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


# graphql-core quotes what it found, which may be a password: a string without its quotation marks,
# a number in a variable. What it expected comes from the grammar or the schema and is safe.
_SYNTAX_WITHOUT_VALUE = re.compile(
    r"Syntax Error: (?:Expected [^,]+, found|Unexpected)"
    r" (?:Name|String|BlockString|Int|Float|<EOF>|'[^\w\s]{1,3}')"
)
_QUOTATION = re.compile(r"['\"]")
_FOUND = re.compile(
    r"(cannot represent [\w -]*value): .*|[,.?] [Ff]ound: .*|, but encountered error .*",
    re.DOTALL,
)
# The name may be a password that begins with a dollar sign.
_UNDEFINED_VARIABLE = re.compile(r"Variable '\$\w*' is not defined")


def _syntax_without_values(message: str) -> str:
    known = _SYNTAX_WITHOUT_VALUE.match(message)
    kept = known[0] if known else _QUOTATION.split(message, maxsplit=1)[0]
    return kept.rstrip(" .:,(") + "."


def _without_values(message: str) -> str:
    message = _UNDEFINED_VARIABLE.sub("A variable is not defined", message, count=1)
    return _FOUND.sub(r"\1.", message, count=1)
