"""Access tokens made by hand: of any claims, and without a valid signature."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

from domain.access_tokens.tokens import Caller

SECRET = "a secret for tests, and for nothing else but tests"
CALLER = Caller(user_id=uuid4(), session_id=uuid4())
ISSUER = "https://accounts.example.com"


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid token, with these changes. A claim of None is left out."""
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "aud": "gatehouse",
        "sub": str(CALLER.user_id),
        "sid": str(CALLER.session_id),
        "iat": now,
        "exp": now + 60,
        "jti": "1",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def unsigned(header: object, payload: object, signature: bytes = b"") -> str:
    """Return a token of any header and payload. Its signature is these bytes."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
