"""The rules for the claims of an ID token (OpenID Connect Core section 3.1.3.7)."""

import hmac
import time
from collections.abc import Mapping
from typing import Any

from domain.providers import issuer as issuers
from domain.providers.provider import ProviderError

# In seconds: the clocks of two machines differ.
LEEWAY = 60

# The token is issued for our request, so an old one is not the answer to it.
MAX_AGE = 3600

# OpenID Connect Core section 2. The column has this length too.
MAX_SUBJECT_LENGTH = 255


def check(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> None:
    """Raise ProviderError unless the token was issued by this issuer, to us alone, for the request
    with this nonce, and is neither expired nor of the future."""
    problem = (
        _issuer_problem(claims, issuer)
        or _subject_problem(claims.get("sub"))
        or _audience_problem(claims, client_id)
        or _time_problem(claims)
        or _nonce_problem(claims.get("nonce"), nonce)
    )
    if problem:
        raise ProviderError.invalid(f"ID token: {problem}")


def check_key(claims: Mapping[str, Any], key: Mapping[str, Any]) -> None:
    """Raise ProviderError if the key is for another issuer: Microsoft publishes those of companies
    and of personal accounts together, and says in each whose it is."""
    if "issuer" not in key:
        return
    owner = key["issuer"]
    if not isinstance(owner, str) or issuers.of_claims(owner, claims) != claims["iss"]:
        raise ProviderError.invalid("ID token: its key is for another issuer")


def _issuer_problem(claims: Mapping[str, Any], issuer: str) -> str | None:
    expected = issuers.of_claims(issuer, claims)
    if expected is None:
        return "`tid` is missing or not the id of a tenant"
    if claims.get("iss") != expected:
        return f"`iss` is {ascii(claims.get('iss'))[:200]} instead of {expected!r}"
    return None


def _subject_problem(subject: object) -> str | None:
    is_text = isinstance(subject, str) and subject.isascii() and subject.isprintable()
    if not is_text or not 1 <= len(str(subject)) <= MAX_SUBJECT_LENGTH:
        return "`sub` is missing or not a text of 1 to 255 ASCII characters"
    return None


def _audience_problem(claims: Mapping[str, Any], client_id: str) -> str | None:
    # A list may have trusted parties besides us, and we trust none.
    if claims.get("aud") not in (client_id, [client_id]):
        return "`aud` is not this client alone"
    if claims.get("azp", client_id) != client_id:
        return "`azp` is another client"
    return None


def _time_problem(claims: Mapping[str, Any]) -> str | None:
    now = time.time()
    times: list[Any] = [claims.get("exp"), claims.get("iat"), claims.get("nbf", claims.get("iat"))]
    # A boolean is an `int` in Python. Fractions are allowed, and no provider is known to send them.
    if any(type(value) is not int for value in times):
        return "`exp`, `iat` or `nbf` is missing or not an integer"
    expires_at, issued_at, valid_from = times
    if expires_at + LEEWAY <= now:
        return "it has expired"
    if max(issued_at, valid_from) - LEEWAY > now:
        return "`iat` or `nbf` is in the future"
    if issued_at + MAX_AGE < now:
        return "`iat` is too long ago"
    return None


def _nonce_problem(given: object, nonce: str) -> str | None:
    if not isinstance(given, str):
        return "`nonce` is missing"
    if not hmac.compare_digest(given.encode(errors="replace"), nonce.encode()):
        return "`nonce` is of another request"
    return None
