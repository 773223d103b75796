"""Read the files of TRUSTED_DOCUMENTS."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graphql_schema.engine.trusted_documents import TrustedDocuments, merge, texts_in
from settings.files import open_regular

# A thousand documents of the greatest length.
MAX_MANIFEST_MIB = 16


def read_trusted_documents(files: Iterable[Path], *, only: bool) -> TrustedDocuments:
    """Read the manifests. Raises ValueError, with one line, if one cannot be used."""
    try:
        return TrustedDocuments(merge(map(_read, files)), only=only)
    except ValueError as error:
        raise ValueError(f"TRUSTED_DOCUMENTS {error}") from None


def _read(file: Path) -> dict[str, str]:
    try:
        return texts_in(_parse(file))
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None


def _parse(file: Path) -> Any:
    with open_regular(file) as stream:
        content = stream.read(MAX_MANIFEST_MIB * 1024 * 1024 + 1)
    if len(content) > MAX_MANIFEST_MIB * 1024 * 1024:
        raise ValueError(f"must have at most {MAX_MANIFEST_MIB} MiB")
    try:
        # Windows editors begin a file with a byte order mark.
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("is not JSON in UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object. Of a key that comes twice, Python would take the last value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"has the key {twice} twice")
    return found
