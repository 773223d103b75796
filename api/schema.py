"""Create the schema from the settings."""

from pathlib import Path

from api.account_pages import BUILT
from api.trusted_documents import read_trusted_documents
from graphql_schema.engine.limits import Limits
from graphql_schema.schema import Schema
from settings import Settings


def create_schema(settings: Settings) -> Schema:
    """Create the schema. Raises ValueError, with one line, for trusted documents that cannot be
    used."""
    return Schema(
        Limits(
            depth=settings.max_query_depth,
            aliases=settings.max_query_aliases,
            tokens=settings.max_query_tokens,
            cost=settings.max_query_cost,
        ),
        new_documents=settings.new_document_percent / 100,
        deadline=settings.request_deadline,
        introspection=settings.allows("introspection"),
        suggestions=settings.allows("suggestions"),
        federation=settings.federation,
        trusted_documents=read_trusted_documents(
            manifests(settings), only=settings.trusted_documents_only
        ),
    )


def manifests(settings: Settings) -> tuple[Path, ...]:
    """Return the files of TRUSTED_DOCUMENTS and, with them, the one of the account pages."""
    of_pages = BUILT / "trusted-documents.json"
    with_pages = settings.trusted_documents and settings.account_pages and of_pages.exists()
    return (*settings.trusted_documents, *([of_pages] if with_pages else []))
