"""Time-based one-time passwords (RFC 6238): the rule, without any storage."""

import base64
import hmac
import re
import secrets
import time
from urllib.parse import quote, urlencode

# RFC 4226 section 4, R6: as long as the hash.
SEED_BYTES = 20

# What authenticator apps assume (RFC 6238 section 4.1).
STEP_SECONDS = 30
DIGITS = 6

# ASCII only: other scripts have digits too.
_CODE = re.compile(r"[0-9]{6}")

# With blanks between the digits.
_MAX_TYPED = 64


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def parse_code(typed: str) -> str | None:
    """Return the six digits, or None if the text has another format. People type them in groups."""
    code = "".join(typed.split()) if len(typed) <= _MAX_TYPED else ""
    return code if _CODE.fullmatch(code) else None


def code_at(seed: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226 section 5.3)."""
    digest = hmac.digest(seed, step.to_bytes(8), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(seed: bytes, code: str) -> int | None:
    """Return the time step that a code of six digits belongs to, or None.

    It is the current step or the one before, for codes that change while they are typed (OWASP
    ASVS 5, 6.5.5). A step of the future would let a clock that runs ahead use a code twice as long.
    """
    now = current_step()
    # Both are compared, so that the time tells nothing.
    matches = [step for step in (now, now - 1) if hmac.compare_digest(code_at(seed, step), code)]
    return matches[0] if matches else None


def current_step() -> int:
    return int(time.time()) // STEP_SECONDS


def secret_text(seed: bytes) -> str:
    """Return the seed as people type it into an app: base32 without padding."""
    return base64.b32encode(seed).decode().rstrip("=")


def uri(seed: bytes, *, issuer: str, account: str) -> str:
    """Return the address that authenticator apps read from a QR code.

    The colon between the issuer and the account is not encoded: some apps split there.
    """
    # A colon in either would be taken for the one between them.
    issuer, account = issuer.replace(":", " "), account.replace(":", " ")
    name = f"{quote(issuer)}:{quote(account, safe='@')}"
    query = urlencode({"secret": secret_text(seed), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{name}?{query}"
