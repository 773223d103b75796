"""Trusted documents: the documents of known clients, which requests name by an id.

Tools write them into a manifest when they build a client. `documentId` is appendix A of GraphQL
over HTTP; `extensions.persistedQuery` is Apollo's protocol for the same.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from domain.errors import (
    DocumentNotTrusted,
    InvalidInput,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
)

PREFIX = "sha256:"

_APOLLO = "apollo-persisted-query-manifest"

# With or without the prefix, as Relay writes it.
_HASH = re.compile(rf"(?:{PREFIX})?(?P<digits>[0-9a-f]{{64}})")


class TrustedDocuments:
    """Texts by their ids, which are found by their hashes as well, with and without the prefix.

    With ``only``, no other document is accepted.
    """

    def __init__(self, texts: Mapping[str, str], *, only: bool = False) -> None:
        self.only = only
        self.ids = {text: id for id, text in texts.items()}
        hashes = {hash_of(text): text for text in self.ids}
        prefixed = {f"{PREFIX}{digits}": text for digits, text in hashes.items()}
        self._texts = {**hashes, **prefixed, **texts}

    def text_of(self, request: Mapping[str, Any]) -> str | None:
        """Return the document of a request: its ``query``, the one of its id, or None.

        Raises PersistedQueryNotSupported without trusted documents, PersistedQueryNotFound for an
        unknown id, DocumentNotTrusted for one if there are no others, and InvalidInput if ``query``
        is another document than the id's.
        """
        query: str | None = request.get("query") or None
        if query is not None and not self._texts:
            return query
        id = _id_in(request)
        if id is None:
            return query
        if not self._texts:
            raise PersistedQueryNotSupported
        text = self._texts.get(id)
        if text is None and self.only:
            raise DocumentNotTrusted
        if text is None and query is None:
            raise PersistedQueryNotFound
        if query is not None and query != text and hash_of(query) != id.removeprefix(PREFIX):
            raise InvalidInput("`query` is not the document that the request names.")
        return text or query


NO_TRUSTED_DOCUMENTS = TrustedDocuments({})


def texts_in(manifest: object) -> dict[str, str]:
    """Return the texts of a parsed manifest by their ids. Its shape tells the format: Apollo's has
    a list of operations, and those of GraphQL Code Generator and Relay are one object.

    Raises ValueError for another format, and for an id that is not the hash of its text.
    """
    match manifest:
        case {"format": str(format), "version": version, "operations": [*operations]}:
            if (format, version) != (_APOLLO, 1):
                raise ValueError(f"has the format {format}, version {version}")
            texts = merge({_text_in(each, "id"): _text_in(each, "body")} for each in operations)
        case {**entries}:
            texts = {str(id): _text_in(entries, id) for id in entries}
        case _:
            raise ValueError("is not a manifest of documents")
    for id, text in texts.items():
        hash = _HASH.fullmatch(id)
        if hash and hash["digits"] != hash_of(text):
            raise ValueError(f"has the id {id}, which is not the hash of its document")
    return texts


def merge(manifests: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the texts of several manifests. Raises ValueError if an id has two of them."""
    merged: dict[str, str] = {}
    for texts in manifests:
        for id, text in texts.items():
            if merged.setdefault(id, text) != text:
                raise ValueError(f"has two documents with the id {id}")
    return merged


def hash_of(text: str) -> str:
    # JSON can have half of a surrogate pair, which UTF-8 cannot.
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _id_in(request: Mapping[str, Any]) -> str | None:
    """Return the id that a request names, or None. A malformed hash is an id of no document."""
    if id := request.get("documentId"):
        return str(id)
    persisted = (request.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return None
    match persisted:
        case {"sha256Hash": str(hash)}:
            return hash
    return ""


def _text_in(entry: object, key: Any) -> str:
    match entry:
        case dict() if isinstance(entry.get(key), str) and entry[key]:
            return str(entry[key])
    raise ValueError(f"has an entry without a text for {str(key)[:80]}")
