"""The data keys: secrets that what is stored depends on, and that outlive ``SECRET_KEY``."""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# NIST SP 800-38D section 8.2.2.
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is encrypted, and the id of the data key that opens it."""

    key_id: str
    value: bytes


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

    def ids(self) -> list[str]:
        """Return the ids of all keys, the current one first. An id says nothing of its key."""
        return [_id(key) for key in (self.current, *self.fallbacks)]

    def seal(self, purpose: str, owner: bytes, secret: bytes) -> Sealed:
        """Encrypt a secret for one purpose and one owner (AES-256-GCM)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        encrypted = _cipher(self.current, purpose).encrypt(nonce, secret, owner)
        return Sealed(_id(self.current), nonce + encrypted)

    def open(self, purpose: str, owner: bytes, sealed: Sealed) -> bytes | None:
        """Decrypt a secret. Return None if it was sealed with a key that is not here, or for
        another purpose or owner."""
        nonce, encrypted = sealed.value[:_NONCE_BYTES], sealed.value[_NONCE_BYTES:]
        for key in self._with_id(sealed.key_id):
            try:
                return _cipher(key, purpose).decrypt(nonce, encrypted, owner)
            except InvalidTag:
                return None
        return None

    def _with_id(self, id: str) -> Iterator[str]:
        return (key for key in (self.current, *self.fallbacks) if _id(key) == id)


def _cipher(key: str, purpose: str) -> AESGCM:
    return AESGCM(_mac(key, "encryption", purpose.encode()))


def _id(key: str) -> str:
    return _mac(key, "id of a data key", b"").hex()[:16]


def _mac(key: str, purpose: str, message: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose.encode() + b"\0" + message, "sha256")
