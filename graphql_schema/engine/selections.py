"""Walks through the selections of a document."""

from collections.abc import Iterable, Iterator

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)


def all_selections(document: DocumentNode) -> Iterator[SelectionNode]:
    """Yield all selections of a document: of its operations and its fragments."""
    return selections_in(
        definition.selection_set
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    )


def selections_in(selection_sets: Iterable[SelectionSetNode]) -> Iterator[SelectionNode]:
    """Yield all selections at every level, without those of the fragments they spread."""
    unread = list(selection_sets)
    while unread:
        for selection in unread.pop().selections:
            yield selection
            if inside := getattr(selection, "selection_set", None):
                unread.append(inside)
