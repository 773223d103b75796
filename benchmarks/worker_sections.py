"""The section of RESULTS.md about several workers, and what follows for many cores."""

import statistics
from collections.abc import Sequence

from benchmarks.placements import ALL_CORES, KINDS, PGBOUNCER
from benchmarks.ratios import Ratios, Round, brief
from benchmarks.tables import table

CORES = 16

# Of each worker: 10 to read and 10 to write.
POOL_SIZE = 20
# PostgreSQL's default, without those that it reserves for superusers.
MAX_CONNECTIONS = 100 - 3


def workers(rounds: Sequence[Round]) -> str:
    return f"""\
## Workers

`me` over 64 connections by `gatehouse serve` with one worker and with two ({len(rounds)} rounds).
The workers share two cores with wrk, PostgreSQL and PgBouncer: twice the rate would need more cores.
PgBouncer runs in transaction mode, and Gatehouse prepares no statements behind it.

{_two_relative_to_one(rounds)}

With two workers, of the two cores:

{_shares(rounds)}

### On {CORES} cores

{_many_cores(rounds)}"""


def _two_relative_to_one(rounds: Sequence[Round]) -> str:
    rows = []
    for kind in _measured(rounds):
        ratios = Ratios.of(each[kind]["2"]["rate"] / each[kind]["1"]["rate"] for each in rounds)
        connections = [f"{_median(rounds, kind, number, 'connections'):.0f}" for number in "12"]
        rows.append([kind, ratios, *connections])
    head = [
        "",
        "requests a second with two workers, relative to one",
        "PostgreSQL's connections, one worker",
        "two workers",
    ]
    return table(head, rows)


def _shares(rounds: Sequence[Round]) -> str:
    processes = {
        "both workers": "server",
        "PostgreSQL": "postgres",
        "PgBouncer": "pgbouncer",
        "wrk": "wrk",
    }
    rows = [
        [kind, *(f"{_median(rounds, kind, '2', figure) / 2:.0%}" for figure in processes.values())]
        for kind in _measured(rounds)
    ]
    return table(["", *processes], rows)


def _many_cores(rounds: Sequence[Round]) -> str:
    worker, postgres, _ = _microseconds(rounds, ALL_CORES)
    pooled_worker, pooled_postgres, pgbouncer = _microseconds(rounds, PGBOUNCER)
    beside = CORES * worker / (worker + postgres)
    most = MAX_CONNECTIONS // POOL_SIZE - 1  # a restart runs one more
    return f"""\
This is calculated and not measured, from the processor time of one `me` above: {worker:.0f} µs in a worker and {postgres:.0f} µs in PostgreSQL; with PgBouncer {pooled_worker:.0f} µs, {pooled_postgres:.0f} µs and {pgbouncer:.0f} µs.
It assumes that cores do not slow each other down.

1. **Connections come first.** A worker may open {POOL_SIZE}, and a restart runs one worker more: {CORES} workers need {CORES * POOL_SIZE + POOL_SIZE}. PostgreSQL's default of 100, of which 3 are for superusers, is enough for {most}.
2. **Then processors.** With PostgreSQL on the same machine, about {beside:.0f} workers use {CORES} cores, and PostgreSQL the rest. With PostgreSQL elsewhere, {CORES} workers need {brief(CORES * postgres / worker)} cores there.
3. **PgBouncer uses one core** per process, which is enough for {1_000_000 / pgbouncer:,.0f} `me` a second: {brief(pooled_worker / pgbouncer)} workers."""


def _microseconds(rounds: Sequence[Round], kind: str) -> tuple[float, float, float]:
    """Return the processor time of a request in the workers, PostgreSQL and PgBouncer."""
    rate = _median(rounds, kind, "2", "rate")
    server, postgres, pgbouncer = (
        _median(rounds, kind, "2", figure) / rate * 1_000_000
        for figure in ("server", "postgres", "pgbouncer")
    )
    return server, postgres, pgbouncer


def _measured(rounds: Sequence[Round]) -> list[str]:
    return [kind for kind in KINDS if kind in rounds[0]]


def _median(rounds: Sequence[Round], kind: str, number: str, figure: str) -> float:
    values: list[float] = [each[kind][number][figure] for each in rounds]
    return statistics.median(values)
