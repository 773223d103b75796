"""The section of RESULTS.md about the REST routes and `refresh`."""

import statistics
from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks import targets
from benchmarks.placements import OTHER_CORE
from benchmarks.ratios import GATEHOUSE, Ratios, Round, by_kind
from benchmarks.tables import least_favourable_first, table, table_by_kind

FASTAPI_USERS, MERCURIUS = targets.FASTAPI_USERS.name, targets.MERCURIUS.name

# What is compared: an operation of a target with one of another.
Operation = tuple[str, str]

BY_THE_GRAPH = {
    "`refresh`, relative to `me`": ((GATEHOUSE, "refresh"), (GATEHOUSE, "me")),
    "`/userinfo`, relative to `me`": ((GATEHOUSE, "userinfo"), (GATEHOUSE, "me")),
    "`/introspect`, relative to `me`": ((GATEHOUSE, "introspect"), (GATEHOUSE, "me")),
    "`/token`, relative to `login`": ((GATEHOUSE, "token"), (GATEHOUSE, "login")),
}
BY_PEERS = {
    "`refresh`, relative to Mercurius with the same writes": (
        (GATEHOUSE, "refresh"),
        (MERCURIUS, "refresh"),
    ),
    "`/userinfo`, relative to fastapi-users' `/users/me`": (
        (GATEHOUSE, "userinfo"),
        (FASTAPI_USERS, "userinfo"),
    ),
    "`/introspect`, relative to fastapi-users' `/users/me`": (
        (GATEHOUSE, "introspect"),
        (FASTAPI_USERS, "userinfo"),
    ),
    "`/token`, relative to fastapi-users' login": ((GATEHOUSE, "token"), (FASTAPI_USERS, "token")),
    "For comparison: Mercurius's `refresh`, relative to its own `me`": (
        (MERCURIUS, "refresh"),
        (MERCURIUS, "me"),
    ),
}


def endpoints(rounds: Sequence[Round]) -> str:
    return f"""\
## REST routes and `refresh`

Over 16 connections ({len(rounds)} rounds).
`/introspect` is authenticated by an access token, and the token in question is the same.
A `refresh` rotates the token of a session: Mercurius does so by a guarded UPDATE and an INSERT in one transaction.
fastapi-users verifies the same password hashes.
A client refreshes a session about twice an hour and not more than once a second, so `REFRESH_GRACE_SECONDS` is 0: a session stores the refreshes of its grace period.

{table_by_kind("requests a second", _ratios(rounds, BY_THE_GRAPH))}

{table_by_kind("requests a second", _ratios(rounds, BY_PEERS))}

{_rates(rounds)}"""


def _ratios(
    rounds: Sequence[Round], compared: dict[str, tuple[Operation, Operation]]
) -> dict[str, Mapping[str, Ratios]]:
    return least_favourable_first(
        {name: by_kind(rounds, partial(_ratio, of, to)) for name, (of, to) in compared.items()}
    )


def _ratio(of: Operation, to: Operation, results: Round) -> float:
    return _rate(results, of) / _rate(results, to)


def _rate(results: Round, operation: Operation) -> float:
    target, name = operation
    rate: float = results[target][name]["rate"]
    return rate


def _rates(rounds: Sequence[Round]) -> str:
    of_target = rounds[0][OTHER_CORE]
    rows = [
        [f"{target}, {name}", f"{rate:,.0f}", f"{p99:,.1f} ms"]
        for target in of_target
        for name in of_target[target]
        for rate, p99 in [
            [
                statistics.median(each[OTHER_CORE][target][name][figure] for each in rounds)
                for figure in ("rate", "p99")
            ]
        ]
    ]
    return table([OTHER_CORE, "requests a second", "p99"], rows)
