"""What a provider has answered to a request, before it is trusted."""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from domain.providers.provider import ProviderError

# They ask for another try later (RFC 9110 section 15.5.9, RFC 6585 section 4).
_RETRY = (408, 429)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whose body may have tokens. ``source`` names the endpoint in reasons."""

    source: str
    status: int
    content_type: str
    body: bytes = field(repr=False)

    def require_success(self) -> None:
        """Raise ProviderError unless the status is 200."""
        if self.status == 200:
            return
        reason = f"{self.source}: answered with status {self.status}"
        if self.status >= 500 or self.status in _RETRY:
            raise ProviderError.unavailable(reason)
        if self.status >= 400:
            raise ProviderError.refused(reason)
        # Also a redirect: it would take a code or a token to an address that nothing vouches for.
        raise ProviderError.invalid(reason)

    def json_object(self) -> dict[str, Any]:
        """Return the body as an object. Raises ProviderError."""
        value = self._json()
        if not isinstance(value, dict):
            raise ProviderError.invalid(f"{self.source}: the body is not a JSON object")
        return value

    def json_array(self) -> list[Any]:
        """Return the body as an array. Raises ProviderError."""
        value = self._json()
        if not isinstance(value, list):
            raise ProviderError.invalid(f"{self.source}: the body is not a JSON array")
        return value

    def _json(self) -> Any:
        media_type = self.content_type.partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise ProviderError.invalid(f"{self.source}: the body is not declared as JSON")
        try:
            return json.loads(self.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            # Without the error, which may quote the body.
            raise ProviderError.invalid(f"{self.source}: the body is not valid JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
