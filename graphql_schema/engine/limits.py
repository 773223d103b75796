"""The limits of a document."""

import sys
from dataclasses import dataclass
from math import ceil

from domain.errors import QueryTooCostly
from graphql_schema.engine.costs import Measure

# With all fragments spread, each once: planning a field takes 10 microseconds. The introspection of
# a tool that reads types 15 levels deep has 340.
MAX_FIELDS = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """``depth`` in levels of fields, ``aliases`` and ``tokens`` by number, ``cost`` in fields."""

    depth: int
    aliases: int
    tokens: int
    cost: int

    def check(self, measure: Measure) -> None:
        """Raise QueryTooCostly if the document exceeds a limit. The message says which."""
        for text, found, limit in (
            ("{} levels of fields", measure.depth, self.depth),
            ("{} aliases", measure.aliases, self.aliases),
            ("{} fields", measure.fields, MAX_FIELDS),
            ("a cost of {}", measure.cost, self.cost),
        ):
            if found > limit:
                # A document that doubles thirty times has a very long number as its cost.
                shown = text.format(ceil(found) if found < 1_000_000 else "over 1000000")
                raise QueryTooCostly(f"The document has {shown}; the limit is {limit}.")


# For printing the schema, and for trusted documents.
UNLIMITED = Limits(depth=sys.maxsize, aliases=sys.maxsize, tokens=sys.maxsize, cost=sys.maxsize)
