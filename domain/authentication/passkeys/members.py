"""The members of an answer: what `PublicKeyCredential.toJSON()` gives, of which only what is
verified is read. Anyone can send anything in its place."""

import base64
import json
import re
from collections.abc import Collection
from typing import Any

# Of all members that are read. The largest answers have the certificates of an attestation.
MAX_ANSWER_LENGTH = 16 * 1024

# WebAuthn Level 3, section 7.1, step 25.
MAX_CREDENTIAL_ID_LENGTH = 1023

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def members_of(answer: object, names: Collection[str]) -> dict[str, Any] | None:
    """Return an answer with the members that are verified, and of its response those with these
    ``names``. Return None if one is malformed: the library would skip characters that are not
    base64url."""
    match answer:
        case {"id": str(id), "rawId": str(raw_id), "type": "public-key", "response": dict(found)}:
            members = [id, raw_id, *(found.get(name) for name in names)]
        case _:
            return None
    texts = [member for member in members if isinstance(member, str)]
    if len(texts) < len(members) or sum(map(len, texts)) > MAX_ANSWER_LENGTH:
        return None
    if not all(map(_decoded, texts)):
        return None
    # Of the transports, the library keeps those that it knows.
    response = {name: found.get(name) for name in (*names, "transports")}
    return {"id": id, "rawId": raw_id, "type": "public-key", "response": response}


def credential_id_of(answer: object) -> bytes | None:
    """Return the id of the passkey that an answer names, or None if it is malformed."""
    match answer:
        case {"id": str(id)} if len(id) <= MAX_ANSWER_LENGTH:
            found = _decoded(id)
            return found if found and len(found) <= MAX_CREDENTIAL_ID_LENGTH else None
    return None


def is_embedded(client_data_json: bytes) -> bool:
    """Return whether the page was in a frame of another origin, where its user may not know what
    they confirm."""
    client_data = json.loads(client_data_json)
    return bool(client_data.get("crossOrigin")) or "topOrigin" in client_data


def _decoded(text: str) -> bytes | None:
    """Decode base64url without padding, or return None: there is one spelling of each value."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    decoded = base64.urlsafe_b64decode(text + "==")
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == text else None
