"""Documents that are prepared without a server, and the time that this takes."""

import time
from collections.abc import Callable

from graphql_schema.engine.documents import Documents
from graphql_schema.engine.limits import Limits
from graphql_schema.engine.new_documents import NewDocuments
from graphql_schema.schema import Schema
from settings import Settings

DEFAULTS = Settings.model_fields
DEFAULT_LIMITS = Limits(
    depth=DEFAULTS["max_query_depth"].default,
    aliases=DEFAULTS["max_query_aliases"].default,
    tokens=DEFAULTS["max_query_tokens"].default,
    cost=DEFAULTS["max_query_cost"].default,
)
SCHEMA = Schema(DEFAULT_LIMITS)._schema

# Of a network that may use all of the time.
PREPARATION = NewDocuments(1).preparation("127.0.0.1")


def empty_cache() -> Documents:
    """Return an empty cache with the default limits."""
    return Documents(SCHEMA, DEFAULT_LIMITS, NewDocuments(1))


def seconds_of(work: Callable[[], object]) -> float:
    """Return the processor's time that some work takes: the best of three, as the first of a kind
    fills caches."""
    seconds = []
    for _ in range(3):
        started = time.thread_time()
        work()
        seconds.append(time.thread_time() - started)
    return min(seconds)
