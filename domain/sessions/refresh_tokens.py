"""Refresh tokens: opaque, and useless to a reader of the database (RFC 6749 section 1.5, RFC 9700
section 4.14).

A token is 64 characters of base64 over two parts. The family is the same for all tokens of a
session, so that any of them, however old, identifies the session. The secret changes with every
rotation: a successor is computed from its predecessor and a salt. Within the grace period the
holder of the predecessor can therefore be given the same successor again, although the database
never stores it.
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
        """Return the token, or None if the text does not have the format of one. White space around
        it, as from a file, is no part of it."""
        token = text.strip()
        if not _TOKEN.fullmatch(token):
            return None
        both = base64.urlsafe_b64decode(token)
        return cls(both[:FAMILY_BYTES], both[FAMILY_BYTES:])

    @property
    def value(self) -> str:
        """The token as its owner receives it."""
        return base64.urlsafe_b64encode(self.family + self.secret).decode()

    @property
    def hash(self) -> str:
        """The SHA-256 in hexadecimal, which is stored. A secret of 256 random bits needs no slow
        hash."""
        return hashlib.sha256(self.value.encode()).hexdigest()

    @property
    def family_hash(self) -> str:
        return hashlib.sha256(self.family).hexdigest()

    def successor(self, salt: str) -> "RefreshToken":
        """Return the token after this one. Computing it takes both this token and the salt."""
        return replace(self, secret=hmac.digest(self.secret, salt.encode(), "sha256"))


def new_salt() -> str:
    return secrets.token_hex(SECRET_BYTES)
