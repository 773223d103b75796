"""Responses as JSON."""

import json

# As much as a server buffers for a connection before it waits for the client. Larger responses
# count as under way until they are read.
MAX_SMALL_BYTES = 64 * 1024


def to_json(response: object) -> bytes:
    """Return a response in UTF-8: escapes would take up to three times the bytes. Lone surrogates,
    which UTF-8 cannot represent, stay escapes."""
    text = json.dumps(response, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")
