"""Check the manifests of trusted documents."""

from collections.abc import Iterator

from api.schema import create_schema
from cli.check.findings import Finding, ok, problem
from settings import Settings

_ITEM = "TRUSTED_DOCUMENTS"


def trusted_documents(settings: Settings) -> Iterator[Finding]:
    """Read the manifests and validate their documents, as a start does."""
    if not settings.trusted_documents:
        yield ok(_ITEM, "not set: clients may send any document")
        return
    try:
        number = len(create_schema(settings).trusted_documents.ids)
    except ValueError as error:
        yield problem(_ITEM, str(error).removeprefix(f"{_ITEM} "))
        return
    others = (
        ", and no others" if settings.trusted_documents_only else "; clients may send others too"
    )
    yield ok(_ITEM, f"{number} documents{others}")
