"""Proof Key for Code Exchange (RFC 7636), with the method S256 alone."""

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """Return a verifier of 256 random bits (RFC 7636 section 7.1)."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
