"""What every provider does, what it says of a user, and how it fails."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

#: Of one server: each has a button.
MAX_PROVIDERS = 20


class ProviderFailure(StrEnum):
    #: It is away, slow or overloaded, or it sends too much.
    UNAVAILABLE = "UNAVAILABLE"
    #: It did not accept our request: the code, the client or its secret.
    REFUSED = "REFUSED"
    #: It sent something that cannot be trusted or understood.
    INVALID = "INVALID"


class ProviderError(Exception):
    """The reason is for the log. It has no secret, and no text of a provider except short names."""

    def __init__(self, failure: ProviderFailure, reason: str) -> None:
        super().__init__(failure, reason)
        self.failure = failure
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.failure}: {self.reason}"

    @classmethod
    def unavailable(cls, reason: str) -> Self:
        return cls(ProviderFailure.UNAVAILABLE, reason)

    @classmethod
    def refused(cls, reason: str) -> Self:
        return cls(ProviderFailure.REFUSED, reason)

    @classmethod
    def invalid(cls, reason: str) -> Self:
        return cls(ProviderFailure.INVALID, reason)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider says of a user.

    The issuer and the subject identify the user, and nothing else does (OpenID Connect Core section
    5.7). The email is one that an account can have, or None. The hint is a name that the user has
    there, to suggest a username; it may be no valid one.
    """

    issuer: str
    subject: str
    email: str | None = field(repr=False)
    email_verified: bool
    name_hint: str | None = field(repr=False)


class Provider(ABC):
    """A provider that users sign in with.

    ``name`` is the one in addresses and settings, ``label`` the one on buttons. With ``form_post``
    the provider sends the callback as a POST from its own site, without SameSite=Lax cookies.
    """

    name: str
    label: str
    form_post: bool

    #: In seconds, of all requests for a profile together. The browser is back within five.
    time_limit = 4.5

    @abstractmethod
    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, code_challenge: str
    ) -> str:
        """Return the address to send the browser to. The challenge is that of `pkce`.

        Raises ProviderError.
        """

    @abstractmethod
    async def profile(
        self, *, code: str, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Profile:
        """Exchange the code of a callback, and return what the provider says of the user.

        ``issuer`` is the parameter `iss` of the callback (RFC 9207). The code is not sent to a
        provider that did not issue it.

        Raises ProviderError.
        """

    @abstractmethod
    async def check(self) -> None:
        """Raise ProviderError if the provider cannot be reached, or is not the configured one."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""
