"""Sign in with an identity provider.

The frontend begins with a verifier of its own, goes through `start_flow` to the provider, comes
back by `take_callback` with a code, and exchanges it. No token is ever in an address (RFC 10017).
Two things bind the way to one browser: the verifier, which the frontend keeps, binds the exchange,
and the cookie of the flow binds the callback (OWASP ASVS 5, 10.1.2).
"""

from domain.authentication.providers.codes import (
    EXTENDED_LIFETIME,
    FoundCode,
    extend,
    find_code,
    use,
)
from domain.authentication.providers.flow import LIFETIME as FLOW_LIFETIME
from domain.authentication.providers.flow import start_flow, take_callback, to_provider
from domain.authentication.providers.identities import (
    find_identity,
    finish_linking,
    identities_of,
    link,
    remove_identities,
    start_linking,
    unlink,
)

__all__ = [
    "EXTENDED_LIFETIME",
    "FLOW_LIFETIME",
    "FoundCode",
    "extend",
    "find_code",
    "find_identity",
    "finish_linking",
    "identities_of",
    "link",
    "remove_identities",
    "start_flow",
    "start_linking",
    "take_callback",
    "to_provider",
    "unlink",
    "use",
]
