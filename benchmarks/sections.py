"""The sections of RESULTS.md about logins, startup and growth, each made from the rounds of one
part."""

from collections.abc import Sequence

from benchmarks.placements import OTHER_CORE
from benchmarks.ratios import (
    GATEHOUSE,
    Round,
    by_kind,
    relative_to_argon2,
    relative_to_fewest_users,
    storm_slowdown,
)
from benchmarks.tables import least_favourable_first, table_by_kind
from benchmarks.thresholds import NAIVE


def hashing(rounds: Sequence[Round]) -> str:
    rows = {
        f"{operation}, {'one core' if cores == '1' else 'two cores'}": relative_to_argon2(
            rounds, cores, operation
        )
        for cores in ("1", "2")
        for operation in ("login", "register")
    }
    return f"""\
## Logins and registrations

Argon2id runs with OWASP's parameters (19 MiB, two passes) and one thread for each core, and 16 connections keep its queue filled.
The rates are relative to the verifications of a Python process that does nothing else on the same cores ({len(rounds)} rounds).

{table_by_kind("requests a second, relative to Argon2 alone", least_favourable_first(rows))}

On two cores, the load generator and PostgreSQL use a share of both, while Argon2 alone has both to itself."""


def storm(rounds: Sequence[Round]) -> str:
    rows = {
        "Gatehouse's p99, relative to its own before": storm_slowdown(rounds, GATEHOUSE),
        "the naive stack's p99, relative to its own before": storm_slowdown(rounds, NAIVE),
        "Gatehouse's p99, relative to the naive stack's": by_kind(
            rounds,
            lambda results: results[GATEHOUSE]["storm"] / results[NAIVE]["storm"],
            beside=NAIVE,
        ),
        "Gatehouse's peak memory, in MiB": by_kind(
            rounds, lambda results: results[GATEHOUSE]["memory"]
        ),
    }
    return f"""\
## A login storm

Fifty `me` a second over 8 connections, first without other requests and then while 16 clients log in continuously.
The server has one core and one hashing thread ({len(rounds)} rounds).
Requests are sent at a steady rate, and a response time counts from when its request was due.
So a slow response also delays the requests behind it, as it would delay independent users, and the p99 before the storm is that of a server without other load.
The naive stack hashes on the event loop.

{table_by_kind("in the login storm", rows)}"""


def startup(rounds: Sequence[Round]) -> str:
    times = {
        "Gatehouse's time, in seconds": by_kind(rounds, lambda results: results[GATEHOUSE]),
        f"relative to {NAIVE}": by_kind(
            rounds, lambda results: results[GATEHOUSE] / results[NAIVE]
        ),
    }
    return f"""\
## Startup

The time from the start of the process to its first response, on one core ({len(rounds)} rounds).

{table_by_kind("", times)}"""


def growth(rounds: Sequence[Round]) -> str:
    sizes = rounds[0][OTHER_CORE]
    fewest, *more = sizes
    rows = {
        f"`{operation}`, {int(users):,} users": relative_to_fewest_users(rounds, users, operation)
        for operation in sizes[fewest]
        for users in more
    }
    return f"""\
## Growth

Each user has a session, a post and three events.
The requests come from 200 users from all over the tables over one connection ({len(rounds)} rounds).
Argon2 runs with its lowest parameters, so that it hides no other cost.
`posts` is the newest page with its authors.

![The time of each operation by the number of users](growth.svg)

{table_by_kind(f"time, relative to {int(fewest):,} users", least_favourable_first(rows, at_most=True))}"""
