"""`me`, and a page of posts with their authors: Gatehouse and its peers, one after the other."""

from collections.abc import Iterable
from functools import partial

import httpx

from benchmarks.measurement import Figures, measure
from benchmarks.operations import ME, PAGE, body
from benchmarks.placements import OTHER_CORE, SAME_CORE, SQLITE
from benchmarks.seeded_database import USERS, Databases, SeededDatabase
from benchmarks.servers import BASE_URL, serving
from benchmarks.targets import GATEHOUSE, ME_PEERS, NAIVE, Target
from benchmarks.wrk import Request

PEER_KINDS = (OTHER_CORE, SAME_CORE, SQLITE)
CONNECTIONS = (4, 16, 64)

# Node.js compiles for two seconds.
WARM_UP_SECONDS = 3

# A correct response contains these, and the request does not.
FIRST_USER = '"user0@example.com"'
ANY_USER = '@example.com"'
NEWEST_AUTHOR = f'"user.{USERS - 1}"'


def me(databases: Databases) -> dict[str, object]:
    return _compare(databases, (GATEHOUSE, *ME_PEERS), ME, FIRST_USER, ANY_USER)


def page(databases: Databases) -> dict[str, object]:
    return _compare(databases, (GATEHOUSE, NAIVE), PAGE, NEWEST_AUTHOR, NEWEST_AUTHOR)


def _compare(
    databases: Databases, targets: Iterable[Target], document: str, first: str, each: str
) -> dict[str, object]:
    """Return the figures by kind of database, target and number of connections, and the memory
    after all of these."""
    return {
        kind: {
            target.name: _measure(target, databases[kind], document, first, each)
            for target in targets
            if target.supports_sqlite or kind != SQLITE
        }
        for kind in PEER_KINDS
    }


def _measure(
    target: Target, database: SeededDatabase, document: str, first: str, each: str
) -> dict[str, Figures | float]:
    requests = database.requests("" if target.is_rest else body(document))
    with serving(target, database.url) as server:
        _check(target, requests[0], first)
        load = partial(measure, server, database.postgres, target.path, requests, expected=each)
        load(connections=max(CONNECTIONS), seconds=WARM_UP_SECONDS)
        figures = {str(connections): load(connections=connections) for connections in CONNECTIONS}
        return {**figures, "memory": server.memory_mib}


def _check(target: Target, request: Request, expected: str) -> None:
    response = httpx.request(
        "GET" if target.is_rest else "POST",
        BASE_URL + target.path,
        content=request.body or None,
        headers={"Authorization": f"Bearer {request.token}", "Content-Type": "application/json"},
    )
    assert expected in response.text, response.text
