"""Responses as JSON, in UTF-8.

Escapes would take up to three times the bytes. Lone surrogates, which UTF-8 cannot represent, stay
escapes.
"""

import asyncio
import json
from typing import Any

from strawberry.types import ExecutionResult

from graphql_schema.response_size import ResponseSize

# As much as a server buffers for a connection before it waits for the client. Larger responses
# count as under way until they are read.
MAX_SMALL_BYTES = 64 * 1024

# What is encoded before others run. A mebibyte takes some milliseconds.
PIECE_CHARACTERS = 128 * 1024

_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def response_of(result: ExecutionResult) -> dict[str, Any]:
    """Return the response. If all errors are request errors, which have no path, it has no
    ``data``, not even null."""
    errors = result.errors or ()
    response: dict[str, Any] = {}
    if result.data is not None or not all(error.path is None for error in errors):
        response["data"] = result.data
    if errors:
        response["errors"] = [error.formatted for error in errors]
    if result.extensions:
        response["extensions"] = result.extensions
    return response


def to_json(response: object) -> bytes:
    return _to_bytes(_encoder.encode(response))


async def to_json_within(size: ResponseSize, response: object) -> bytes:
    """Encode a response, and reserve its size. Raises QueryTooCostly or Overloaded."""
    body = await to_json_in_pieces(response) if size.may_be_large else to_json(response)
    if len(body) > MAX_SMALL_BYTES:
        size.grow_to(len(body))
    return body


async def to_json_in_pieces(response: object) -> bytes:
    """Encode a response that may be large. Others run in between."""
    pieces: list[bytes] = []
    characters = 0
    for piece in _encoder.iterencode(response):
        pieces.append(_to_bytes(piece))
        characters += len(piece)
        if characters > PIECE_CHARACTERS:
            characters = 0
            await asyncio.sleep(0)
    return b"".join(pieces)


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
