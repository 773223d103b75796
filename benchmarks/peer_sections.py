"""The sections of RESULTS.md about `me` and the page of posts, beside the peers."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import targets
from benchmarks.placements import OTHER_CORE, SAME_CORE, SQLITE
from benchmarks.ratios import (
    AT_THRESHOLD,
    CONNECTIONS,
    GATEHOUSE,
    ByPlace,
    Round,
    brief,
    memory_relative_to,
    relative_to,
    worst,
)
from benchmarks.tables import least_favourable_first, table, table_by, table_by_kind

NAIVE = targets.NAIVE.name
PEER_KINDS = (OTHER_CORE, SAME_CORE, SQLITE)
PEERS = [peer.name for peer in targets.ME_PEERS]

# A server that uses less of its core has waited for the other one.
BUSY = 0.9


def me(rounds: Sequence[Round]) -> str:
    rates = least_favourable_first({peer: relative_to(rounds, peer) for peer in PEERS})
    return f"""\
## `me`, beside the peers

`me {{ id username email }}` for 200 users in rotation ({len(rounds)} rounds).
Each peer verifies the same token and reads the same row.

![Gatehouse's requests a second for `me`, as a multiple of each peer's](me.svg)

{_worst(rates)}

{_by_connections("requests a second by connections, relative to", rates)}

{_p99(rounds)}

### Where the time goes

{_busy(rounds)}

## Memory

The memory of the worker after the requests above.

{_memory(rounds)}"""


def _worst(rates: dict[str, ByPlace]) -> str:
    rows = []
    for peer, by_place in rates.items():
        place, ratios = worst(by_place)
        rows.append([peer, ratios, place, by_place[AT_THRESHOLD]])
    head = ["requests a second, relative to", "least favourable", "there", str(AT_THRESHOLD)]
    return table(head, rows)


def _by_connections(head: str, rows: Mapping[str, ByPlace]) -> str:
    """Return a table for each kind of database."""
    tables = []
    for kind in PEER_KINDS:
        cells = {
            name: {place.connections: by_place[place] for place in by_place if place.kind == kind}
            for name, by_place in rows.items()
        }
        measured = {name: row for name, row in cells.items() if row}
        tables.append(table_by(("4", "16", "64"), f"{kind}: {head}", measured))
    return "\n\n".join(tables)


def _p99(rounds: Sequence[Round]) -> str:
    rows = {
        peer: {
            place.kind: ratios
            for place, ratios in relative_to(rounds, peer, "p99").items()
            if place.connections == CONNECTIONS
        }
        for peer in PEERS
    }
    head = f"p99 with {CONNECTIONS} connections, relative to"
    return table_by_kind(head, least_favourable_first(rows, at_most=True))


def _busy(rounds: Sequence[Round]) -> str:
    shares = {
        name: {
            figure: statistics.median(
                each[OTHER_CORE][name][CONNECTIONS][figure] for each in rounds
            )
            for figure in ("rate", "server", "postgres", "wrk", "log")
        }
        for name in (GATEHOUSE, *PEERS)
    }
    fastest_first = sorted(shares, key=lambda name: -shares[name]["rate"])
    rows = [
        [
            name,
            f"{of['rate']:,.0f}",
            f"{of['server']:.0%}",
            f"{of['server'] / of['rate'] * 1_000_000:,.0f} µs",
            f"{of['postgres']:.0%}",
            f"{of['wrk']:.0%}",
            f"{of['log']:.0f}",
        ]
        for name in fastest_first
        for of in [shares[name]]
    ]
    head = ["", "a second", "server", "for each", "PostgreSQL", "wrk", "bytes logged for each"]
    waiting = [name for name in fastest_first if shares[name]["server"] < BUSY]
    busiest = max(of["postgres"] + of["wrk"] for of in shares.values())
    return f"""\
With {CONNECTIONS} connections and PostgreSQL on another core: requests a second, the share of its core that the server used and its processor time for each request, and the shares of the other core.

{table(head, rows)}

PostgreSQL and wrk used at most {busiest:.0%} of their core.
{_waiting(waiting)}"""


def _waiting(names: Sequence[str]) -> str:
    if not names:
        return f"Each server used {BUSY:.0%} of its core or more, so it is the server that limits its rate."
    return (
        f"Less than {BUSY:.0%} of its core used: {', '.join(names)}. "
        "They waited for the other core, or for other processes of the machine, so their rates show less than they can do."
    )


def _memory(rounds: Sequence[Round]) -> str:
    rows = {peer: memory_relative_to(rounds, peer) for peer in PEERS}
    return table_by_kind("memory, relative to", least_favourable_first(rows, at_most=True))


def page(rounds: Sequence[Round]) -> str:
    rates, p99 = relative_to(rounds, NAIVE), relative_to(rounds, NAIVE, "p99")
    memory = memory_relative_to(rounds, NAIVE)
    place, ratios = worst(rates)
    return f"""\
## A page of posts

`posts(first: 20)` with its cursors and all authors ({len(rounds)} rounds).
The peer is Strawberry and FastAPI with one ORM session for each request and a data loader for the authors.
The least favourable is {brief(ratios.median)} times as many requests a second: {place}.

{_by_connections(f"relative to {NAIVE}", {"requests a second": rates, "p99": p99})}

{table_by_kind("", {f"memory, relative to {NAIVE}": memory})}"""
