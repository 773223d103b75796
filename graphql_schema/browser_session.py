"""The session of a browser that keeps its refresh token where scripts cannot read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import Unauthenticated
from domain.sessions import SignedIn

#: What such a browser's client gets, and sends, in place of the refresh token.
IN_COOKIE = "cookie"


@dataclass(slots=True)
class BrowserSession:
    """The refresh token that the browser keeps, or None, and until when.

    The edge makes it of a request, and writes it to the response if it is changed. Like the
    browser, it holds one token: the last change wins.
    """

    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    is_changed: bool = False

    def keep(self, signed_in: SignedIn) -> None:
        self.refresh_token = signed_in.refresh_token.value
        self.expires_at = signed_in.expires_at
        self.is_changed = True

    def forget(self) -> None:
        self.refresh_token = self.expires_at = None
        self.is_changed = True

    @contextmanager
    def forgotten_if_invalid(self) -> Iterator[None]:
        """Forget the refresh token if it turns out to be invalid. After any other error the client
        may try again."""
        try:
            yield
        except Unauthenticated:
            self.forget()
            raise
