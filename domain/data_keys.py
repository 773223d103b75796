"""The data keys: secrets that what is stored depends on, and that outlive ``SECRET_KEY``."""

import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataKeys:
    """``DATA_KEY`` and its predecessors, which are still valid but make nothing new."""

    current: str = field(repr=False)
    fallbacks: tuple[str, ...] = field(default=(), repr=False)

    def mac(self, purpose: str, message: bytes) -> bytes:
        """Return the HMAC-SHA-256 of a message for one purpose. For another purpose it differs."""
        return _mac(self.current, purpose, message)

    def macs(self, purpose: str, message: bytes) -> list[bytes]:
        """Return the HMACs of all keys, the current one first."""
        return [_mac(key, purpose, message) for key in (self.current, *self.fallbacks)]


def _mac(key: str, purpose: str, message: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose.encode() + b"\0" + message, "sha256")
