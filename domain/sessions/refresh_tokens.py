"""Refresh tokens: opaque, and worth nothing to whoever reads the database (RFC 6749 section 1.5, RFC 9700 section 4.14).

A token is 64 characters of base64 over two parts. The family stays the same for all of a session's tokens, so that any of
them, however old, leads to its session; the secret is new with every rotation. A successor is computed from its
predecessor and a salt: within the grace, whoever holds the predecessor can be given the same successor again, though
the database has never held it.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace

FAMILY_BYTES = 16
SECRET_BYTES = 32

_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    family: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "RefreshToken":
        return cls(secrets.token_bytes(FAMILY_BYTES), secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """None for what is not written as our tokens are."""
        if not _TOKEN.fullmatch(text):
            return None
        both = base64.urlsafe_b64decode(text)
        return cls(both[:FAMILY_BYTES], both[FAMILY_BYTES:])

    @property
    def value(self) -> str:
        """The token as it goes to its owner."""
        return base64.urlsafe_b64encode(self.family + self.secret).decode()

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal: what is stored. 256 random bits need no slow hash."""
        return hashlib.sha256(self.value.encode()).hexdigest()

    @property
    def family_hash(self) -> str:
        return hashlib.sha256(self.family).hexdigest()

    def successor(self, salt: str) -> "RefreshToken":
        """The token after this one: for whoever knows both this one and the salt, and for nobody else."""
        return replace(self, secret=hmac.digest(self.secret, salt.encode(), "sha256"))


def new_salt() -> str:
    return secrets.token_hex(SECRET_BYTES)
