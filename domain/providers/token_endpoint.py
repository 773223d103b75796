"""The token endpoint: a code is exchanged for tokens (RFC 6749 section 4.1.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

from domain.providers import error_codes
from domain.providers.answer import Answer
from domain.providers.http import HttpClient
from domain.providers.provider import ProviderError

SOURCE = "token endpoint"

# How a client proves itself (OpenID Connect Core section 9).
Authentication = Literal["client_secret_basic", "client_secret_post"]
BASIC: Authentication = "client_secret_basic"
POST: Authentication = "client_secret_post"

MAX_TOKEN_LENGTH = 16 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client, and its secret in a header or in the form. A public client has no secret."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    authentication: Authentication = POST

    @property
    def basic(self) -> tuple[str, str] | None:
        """The user and the password, each encoded before they are joined (RFC 6749 section
        2.3.1)."""
        if self.secret is None or self.authentication != BASIC:
            return None
        return quote_plus(self.client_id), quote_plus(self.secret)

    @property
    def form(self) -> dict[str, str]:
        if self.basic:
            return {}
        return {"client_id": self.client_id} | (
            {"client_secret": self.secret} if self.secret is not None else {}
        )


async def exchange(
    http: HttpClient,
    url: str,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    credentials: Credentials,
) -> dict[str, Any]:
    """Return the answer with the tokens. Raises ProviderError."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
        **credentials.form,
    }
    answer = await http.post(SOURCE, url, form, basic=credentials.basic)
    if answer.status in (400, 401):
        raise _refused(answer)
    answer.require_success()
    tokens = answer.json_object()
    if tokens.get("error") is not None:
        # GitHub sends errors with status 200.
        raise _refused(answer)
    return tokens


def access_token(tokens: Mapping[str, Any]) -> str:
    """Return the access token of an answer. Raises ProviderError unless it is a bearer token that
    fits into a header (RFC 6750 section 2.1)."""
    token, kind = tokens.get("access_token"), tokens.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderError.invalid(f"{SOURCE}: `token_type` is not Bearer")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise ProviderError.invalid(f"{SOURCE}: `access_token` is missing or not a text")
    if len(token) > MAX_TOKEN_LENGTH:
        raise ProviderError.invalid(f"{SOURCE}: `access_token` is too long")
    return token


def _refused(answer: Answer) -> ProviderError:
    try:
        code = error_codes.readable(answer.json_object().get("error"))
    except ProviderError:
        code = None
    return ProviderError.refused(f"{SOURCE}: {code or f'an error with status {answer.status}'}")
