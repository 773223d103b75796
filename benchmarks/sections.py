"""The sections of RESULTS.md, each made from the rounds of one part."""

from collections.abc import Mapping, Sequence

from benchmarks import targets
from benchmarks.ratios import (
    GATEHOUSE,
    KINDS,
    ByKind,
    Ratios,
    Round,
    by_kind,
    relative_to,
    relative_to_argon2,
    relative_to_fewest_users,
    storm_slowdown,
)
from benchmarks.thresholds import ME_MULTIPLES, NAIVE

CONSTANT = targets.CONSTANT.name


def me(rounds: Sequence[Round]) -> str:
    return f"""\
## `me`, beside the peers

`me {{ id username email }}` for 500 users in rotation over 64 connections ({len(rounds)} rounds).
The Python peers have uvloop and httptools.
graphql-yoga and Mercurius run on Node 20, which has no built-in SQLite.

![Gatehouse's requests a second for `me`, as a multiple of each peer's](me.svg)

{_peers(rounds, "requests a second, relative to", "rate")}

{_peers(rounds, "p99, relative to", "p99")}

{_load_generator(rounds)}

## Memory

The memory of the worker after the requests above.

{_peers(rounds, "memory, relative to", "memory")}"""


def _peers(rounds: Sequence[Round], head: str, measure: str) -> str:
    return _table(head, {peer: relative_to(rounds, peer, measure) for peer in ME_MULTIPLES})


def _load_generator(rounds: Sequence[Round]) -> str:
    """Show that the load generator is not the bottleneck."""
    by_round = [[each[kind] for kind in KINDS] for each in rounds]
    loads = [
        [load for kind in kinds for name, load in kind.items() if name != CONSTANT]
        for kinds in by_round
    ]
    reserve = Ratios.of(
        min(kind[CONSTANT]["rate"] for kind in kinds) / max(load["rate"] for load in of_round)
        for kinds, of_round in zip(by_round, loads, strict=True)
    )
    busiest = max(load["busy"] for of_round in loads for load in of_round)
    return f"""\
The load generator is not the bottleneck.
A server that returns a constant receives {reserve} times as many requests as the fastest of these servers.
The measurements of these servers used at most {busiest:.0%} of the load generator's core."""


def page(rounds: Sequence[Round]) -> str:
    measures = {"requests a second": "rate", "p99": "p99", "memory": "memory"}
    rows = {row: relative_to(rounds, NAIVE, measure) for row, measure in measures.items()}
    return f"""\
## A page of posts

`posts(first: 20)` with its cursors and all authors, over 64 connections ({len(rounds)} rounds).
The peer is Strawberry and FastAPI with one ORM session for each request and a data loader for the authors.

{_table(f"Gatehouse relative to {NAIVE}", rows)}"""


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

Argon2id runs with OWASP's parameters (19 MiB, two passes) and one thread for each core, and a few requests always wait in the queue.
The rates are relative to the verifications of a Python process that does nothing else on the same cores ({len(rounds)} rounds).

{_table("relative to Argon2 alone", rows)}

On two cores, the load generator and PostgreSQL use a share of both, while Argon2 alone has both to itself."""


def storm(rounds: Sequence[Round]) -> str:
    rows = {
        "Gatehouse's p99, relative to its own before": storm_slowdown(rounds, GATEHOUSE),
        "the naive stack's p99, relative to its own before": storm_slowdown(rounds, NAIVE),
        "Gatehouse's p99, relative to the naive stack's": relative_to(rounds, NAIVE, "storm"),
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

{_table("in the login storm", rows)}"""


def startup(rounds: Sequence[Round]) -> str:
    times = {"time": by_kind(rounds, lambda results: results[GATEHOUSE] / results[NAIVE])}
    return f"""\
## Startup

The time from the start of the process to its first response, on one core ({len(rounds)} rounds).

{_table(f"Gatehouse relative to {NAIVE}", times)}"""


def workers(rounds: Sequence[Round]) -> str:
    rates = {"requests a second": by_kind(rounds, lambda results: results["2"] / results["1"])}
    return f"""\
## Workers

`me` with two workers (`uvicorn --workers 2`) relative to one ({len(rounds)} rounds).
The workers share two cores with the load generator and PostgreSQL: twice the rate would need more cores.

{_table("two workers relative to one", rates)}"""


def growth(rounds: Sequence[Round]) -> str:
    sizes = rounds[0][KINDS[0]]
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

{_table(f"time, relative to {int(fewest):,} users", rows)}"""


def _table(head: str, rows: Mapping[str, ByKind]) -> str:
    lines = [f"| {head} | {' | '.join(KINDS)} |", f"|---|{'---|' * len(KINDS)}"]
    for name, measured in rows.items():
        cells = [str(measured.get(kind, "")) for kind in KINDS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
