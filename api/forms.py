"""Forms of OAuth2 endpoints (RFC 6749 section 3.2 and appendix B)."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.negotiation import media_type
from api.parameters import decode
from domain.errors import InvalidInput

FORM = "application/x-www-form-urlencoded"

# Far more than a token and a password need. The parser blocks the event loop on longer forms.
MAX_BYTES = 16 * 1024


async def read_form(request: Request) -> dict[str, str]:
    """Return the parameters that have a value. Raises InvalidInput."""
    if media_type(request.headers.get("content-type")) != FORM:
        raise InvalidInput(f"Send the parameters as {FORM}.")
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise HTTPException(413)
    try:
        parameters = decode(body)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    if len({name for name, _ in parameters}) < len(parameters):
        raise InvalidInput("A parameter occurs more than once.")
    return {name: value for name, value in parameters if value}


async def read_token(request: Request) -> str:
    """Return the `token` parameter (RFC 7009 section 2.1, RFC 7662 section 2.1). Raises
    InvalidInput.

    The hint is not needed: access tokens and refresh tokens have different formats.
    """
    form = await read_form(request)
    if "token" not in form:
        raise InvalidInput("The parameter `token` is required.")
    # A file that the token comes from ends with a line break.
    return form["token"].strip()


def form_body(
    required: Sequence[str], properties: Mapping[str, Mapping[str, object]]
) -> dict[str, Any]:
    """Return the request body of a form for the OpenAPI document."""
    schema = {
        "type": "object",
        "required": list(required),
        "properties": {name: {"type": "string", **details} for name, details in properties.items()},
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


TOKEN_FORM = form_body(
    required=["token"],
    properties={
        "token": {"description": "An access token or a refresh token."},
        "token_type_hint": {"description": "Ignored."},
    },
)
