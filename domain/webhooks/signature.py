"""Signatures of webhooks (Standard Webhooks 1.0.0, "Verifying webhook authenticity")."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"


def headers(id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of an attempt at ``timestamp``, in seconds since 1970, with one signature
    for each secret. The id is that of the message, and has no full stop."""
    content = f"{id}.{timestamp}.".encode() + body
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_sign(secret, content)}" for secret in secrets),
    }


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret. Raises ValueError if it is not base64 after its prefix."""
    return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def _sign(secret: str, content: bytes) -> str:
    return b64encode(hmac.digest(key_of(secret), content, "sha256")).decode()
