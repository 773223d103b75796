"""Parsing and validation within bounds: no document takes more than about ten milliseconds."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Source,
    SourceLocation,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import OverlappingFieldsCanBeMergedRule
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from domain.errors import QueryTooCostly

MAX_CHARACTERS = 16 * 1024

# An error that concerns several places reads the lines up to them again.
MAX_LINES = 1_000

MAX_DIGITS = 300

# Each error takes a tenth of a millisecond, and a whole one if it quotes a large value.
MAX_ERRORS = 5

# graphql-core compares each field with all others of its name, and what is inside them: a hundred
# inline fragments that select the same take a tenth of a second within its own limit of 500,000.
# Documents that people write need fewer than a hundred.
MAX_COMPARISONS = 2_000

_LINE_END = re.compile(r"\r\n|[\n\r]")


class _Source(Source):
    """A text with a table of its lines. graphql-core reads the whole text again for every error."""

    def get_location(self, position: int) -> SourceLocation:
        line = bisect_right(self._line_starts, position)
        return SourceLocation(line, position + 1 - self._line_starts[line - 1])

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]


class _OverlappingFieldsRule(OverlappingFieldsCanBeMergedRule):
    """The rule of graphql-core with a smaller budget."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MAX_COMPARISONS

    def enter_selection_set(self, *arguments: Any) -> None:
        try:
            super().enter_selection_set(*arguments)
        except ValidationAbortedError:
            if self.rule_context.remaining_complexity_budget >= 0:
                raise  # there are too many errors
            raise QueryTooCostly("The document repeats too many fields.") from None


_RULES = (
    *(
        _OverlappingFieldsRule if rule is OverlappingFieldsCanBeMergedRule else rule
        for rule in specified_rules
    ),
    # What Strawberry adds.
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)


def parse_within(text: str, *, tokens: int) -> DocumentNode:
    """Parse a document. Raises GraphQLError if it is not valid GraphQL, or QueryTooCostly."""
    # Lengths first: nothing reads a text that is too long.
    if len(text) > MAX_CHARACTERS or text.count("\n") + text.count("\r") > MAX_LINES:
        raise QueryTooCostly("The document is too long.")
    return parse(_Source(text), max_tokens=tokens)


def problems_of(
    node: DocumentNode, schema: GraphQLSchema, rules: Iterable[type[ASTValidationRule]]
) -> list[GraphQLError]:
    """Validate a document. Raises QueryTooCostly if too many of its fields have one name."""
    if _has_huge_number(node):
        return [GraphQLError("The document has a number with too many digits.")]
    return validate(schema, node, (*_RULES, *rules), max_errors=MAX_ERRORS)


def _has_huge_number(node: DocumentNode) -> bool:
    """Return whether a number has too many digits. Python refuses over 4,300, which graphql-core
    does not expect."""
    token = node.loc.start_token if node.loc else None
    while token:
        if token.kind is TokenKind.INT and len(token.value or "") > MAX_DIGITS:
            return True
        token = token.next
    return False
