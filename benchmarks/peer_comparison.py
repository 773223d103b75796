"""`me`, and a page of posts with their authors: Gatehouse and its peers, one after the other."""

from collections.abc import Iterable, Sequence

import httpx

from benchmarks import wrk
from benchmarks.operations import ME, PAGE, body
from benchmarks.seeded_database import POSTGRESQL, SeededDatabase
from benchmarks.servers import BASE_URL, memory_mib, serving
from benchmarks.targets import GATEHOUSE, ME_TARGETS, NAIVE, Target
from benchmarks.wrk import Request

CONNECTIONS = 64

# A correct response contains these, and the request does not.
FIRST_USER_EMAIL = "user0@example.com"
NEWEST_POST_AUTHOR = "user.499"


def me(databases: Sequence[SeededDatabase]) -> dict[str, object]:
    return {
        database.kind: _measure_all(
            _supporting(database, ME_TARGETS), database, ME, FIRST_USER_EMAIL
        )
        for database in databases
    }


def page(databases: Sequence[SeededDatabase]) -> dict[str, object]:
    return {
        database.kind: _measure_all([GATEHOUSE, NAIVE], database, PAGE, NEWEST_POST_AUTHOR)
        for database in databases
    }


def _supporting(database: SeededDatabase, targets: Iterable[Target]) -> list[Target]:
    return [target for target in targets if database.kind == POSTGRESQL or target.supports_sqlite]


def _measure_all(
    targets: Iterable[Target], database: SeededDatabase, document: str, expected: str
) -> dict[str, dict[str, float]]:
    return {target.name: _measure(target, database, document, expected) for target in targets}


def _measure(
    target: Target, database: SeededDatabase, document: str, expected: str
) -> dict[str, float]:
    requests = database.requests("" if target.is_rest else body(document))
    with serving(target, database.url) as process:
        _check(target, requests[0], expected)
        wrk.load(target.path, requests, connections=CONNECTIONS, seconds=1)  # warm up
        load = wrk.load(target.path, requests, connections=CONNECTIONS)
        memory = memory_mib(process)
    return {"rate": load.rate, "p99": load.p99_ms, "busy": load.busy, "memory": memory}


def _check(target: Target, request: Request, expected: str) -> None:
    response = httpx.request(
        "GET" if target.is_rest else "POST",
        BASE_URL + target.path,
        content=request.body or None,
        headers={"Authorization": f"Bearer {request.token}", "Content-Type": "application/json"},
    )
    assert expected in response.text, response.text
