"""The limits: how many attempts in which times."""

from dataclasses import dataclass

from limits import RateLimitItem, parse_many


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A number of attempts in a time, in one window or several: ``5/minute;20/hour;100/day``.

    With several, the waits grow with the number of attempts. Windows are moving: the number holds
    for any minute, hour or day.
    """

    name: str
    windows: tuple[RateLimitItem, ...]

    @classmethod
    def of(cls, name: str, text: str) -> "RateLimit":
        """Parse a setting. Raises ValueError for an invalid text, or a limit of zero."""
        windows = parse_many(text)
        if not all(window.amount for window in windows):
            raise ValueError
        for window in windows:
            # Each limit counts under its own name.
            window.namespace = name
        # The shortest first: an attempt that it refuses does not count in the longer ones.
        return cls(name, tuple(sorted(windows, key=lambda window: window.get_expiry())))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """``account`` and ``network`` limit the passwords tried on one account and from one network,
    and ``code`` the codes of mails and authenticator apps tried by one account; ``registration``,
    ``refresh`` and ``ticket`` limit for each network registrations, refreshes and sign-ins that are
    begun by a passkey. ``mail_address`` and ``mail_network`` limit the mails that are requested
    for one address and from one network. ``write`` and ``written_kib`` limit what one user writes,
    by number and by size, and ``picture`` the pictures that one user uploads."""

    account: RateLimit
    code: RateLimit
    network: RateLimit
    registration: RateLimit
    mail_address: RateLimit
    mail_network: RateLimit
    refresh: RateLimit
    ticket: RateLimit
    write: RateLimit
    written_kib: RateLimit
    picture: RateLimit
