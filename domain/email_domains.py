"""Domains of emails: whose mailboxes an account can have."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from domain.emails import Address

NOT_ACCEPTED = "This server accepts no emails of this domain. Use another email."


@dataclass(frozen=True, slots=True)
class EmailDomains:
    """The domains that are ``allowed``, all if there are none, and of these the ``blocked`` ones.

    They are in ASCII and in lower case. ``example.com`` is that domain alone, and ``*.example.com``
    is every domain below it.
    """

    allowed: Collection[str] = ()
    blocked: Collection[str] = ()

    def accept(self, address: Address) -> bool:
        """Return whether an account can have an email."""
        names = set(_names_of(address.key.rpartition("@")[2]))
        return names.isdisjoint(self.blocked) and (
            not self.allowed or not names.isdisjoint(self.allowed)
        )


def _names_of(domain: str) -> Iterator[str]:
    """Yield how a domain can be listed: by its name, or below each of its parents."""
    yield domain
    _, dot, parent = domain.partition(".")
    while dot:
        yield f"*.{parent}"
        _, dot, parent = parent.partition(".")
