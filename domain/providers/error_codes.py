"""The error codes of OAuth that a provider sends (RFC 6749 sections 4.1.2.1 and 5.2)."""

import re

from domain.providers.provider import ProviderError

# The user has declined. The second is what Apple sends.
DECLINED = frozenset({"access_denied", "user_cancelled_authorize"})

_UNAVAILABLE = frozenset({"server_error", "temporarily_unavailable"})

# Anything else does not belong in a log.
_CODE = re.compile(r"[a-z_]{1,40}")


def readable(code: object) -> str | None:
    """Return a code such as `invalid_grant`, or None for anything else."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def of_callback(code: str | None) -> ProviderError:
    """Return the error of a callback that has this code in place of a code to exchange."""
    error = ProviderError.unavailable if code in _UNAVAILABLE else ProviderError.refused
    return error(f"callback: {readable(code) or 'no code, and no error that can be read'}")
