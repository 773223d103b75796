"""The sections of RESULTS.md, each of the rounds of one part."""

from collections.abc import Mapping, Sequence

from benchmarks import targets
from benchmarks.ratios import (
    KINDS,
    US,
    ByKind,
    Ratios,
    Round,
    against,
    by_kind,
    of_argon2,
    of_the_fewest,
    slower_in_storm,
)
from benchmarks.thresholds import NAIVE, TIMES_AS_MANY

CONSTANT = targets.CONSTANT.name


def me(rounds: Sequence[Round]) -> str:
    return f"""\
## `me`, beside its peers

`me {{ id username email }}` by 500 people in turns from 64 connections, {len(rounds)} rounds. The peers in Python have uvloop
and httptools. graphql-yoga and Mercurius run on Node 20, which has no SQLite of its own.

![How many times as many as each peer](me.svg)

{_peers(rounds, "requests a second, Gatehouse against", "rate")}

{_peers(rounds, "p99, Gatehouse against", "p99")}

{_load_tool(rounds)}

## Memory

Of the worker, after it has answered these.

{_peers(rounds, "memory, Gatehouse against", "memory")}"""


def _peers(rounds: Sequence[Round], head: str, what: str) -> str:
    return _table(head, {peer: against(rounds, peer, what) for peer in TIMES_AS_MANY})


def _load_tool(rounds: Sequence[Round]) -> str:
    """That it is no bottleneck."""
    answers = [[one[kind] for kind in KINDS] for one in rounds]
    loads = [
        [load for kind in one for name, load in kind.items() if name != CONSTANT] for one in answers
    ]
    reserve = Ratios.of(
        min(kind[CONSTANT]["rate"] for kind in one) / max(load["rate"] for load in of_them)
        for one, of_them in zip(answers, loads, strict=True)
    )
    busiest = max(load["busy"] for of_them in loads for load in of_them)
    return f"""\
The load tool keeps up: a server that answers a constant is asked {reserve} times as often as the fastest of these, and none of
these took more than {busiest:.0%} of the load tool's core."""


def page(rounds: Sequence[Round]) -> str:
    rows = {"requests a second": "rate", "p99": "p99", "memory": "memory"}
    return f"""\
## A page of posts

`posts(first: 20)` with its cursors and the authors of all of them, against Strawberry and FastAPI with a session of the ORM for
each request and a loader of authors; 64 connections, {len(rounds)} rounds.

{_table(f"Gatehouse against {NAIVE}", {row: against(rounds, NAIVE, what) for row, what in rows.items()})}"""


def hashing(rounds: Sequence[Round]) -> str:
    rows = {
        f"{what}, {'one core' if cores == '1' else 'two cores'}": of_argon2(rounds, cores, what)
        for cores in ("1", "2")
        for what in ("login", "register")
    }
    return f"""\
## Logins and registrations

With Argon2id at OWASP's parameters (19 MiB, two passes), one thread for each core, and always a few people who wait; as a share
of what a Python process verifies on the same cores that does nothing else. {len(rounds)} rounds.

{_table("of Argon2 alone", rows)}

On two cores the load tool and PostgreSQL take their part of both, which Argon2 alone has to itself."""


def storm(rounds: Sequence[Round]) -> str:
    rows = {
        "Gatehouse's p99, against its own before": slower_in_storm(rounds, US),
        "the naive stack's p99, against its own before": slower_in_storm(rounds, NAIVE),
        "Gatehouse's p99, against the naive stack's": against(rounds, NAIVE, "storm"),
        "Gatehouse's memory at its peak, in MiB": by_kind(rounds, lambda of: of[US]["memory"]),
    }
    return f"""\
## A storm of logins

Fifty `me` a second over 8 connections, first with nothing else going on, then while 16 people at a time log in without a
pause; on one core, with one thread that hashes. The pace is steady, and a time counts from when its question was due: so a
slow answer makes the next ones late, as it would people, and the p99 before is that of a server at ease. The naive stack
hashes where it answers. {len(rounds)} rounds.

{_table("in the storm", rows)}"""


def startup(rounds: Sequence[Round]) -> str:
    times = {"time": by_kind(rounds, lambda of: of[US] / of[NAIVE])}
    return f"""\
## Starting

From the start of the process to its first answer, on one core, {len(rounds)} rounds.

{_table(f"Gatehouse against {NAIVE}", times)}"""


def workers(rounds: Sequence[Round]) -> str:
    rates = {"requests a second": by_kind(rounds, lambda of: of["2"] / of["1"])}
    return f"""\
## Workers

`me` by two workers (`uvicorn --workers 2`) against one, on two cores that they share with the load tool and with PostgreSQL:
twice as many would take more cores. {len(rounds)} rounds.

{_table("two against one", rates)}"""


def growth(rounds: Sequence[Round]) -> str:
    sizes = rounds[0][KINDS[0]]
    fewest, *more = sizes
    rows = {
        f"`{question}`, {int(people):,} people": of_the_fewest(rounds, people, question)
        for question in sizes[fewest]
        for people in more
    }
    return f"""\
## Growth

Each person has a session, a post and three events. From one connection, by 200 people from all over the tables; Argon2 at its
least, so that it hides nothing. `posts` is the newest page with its authors. {len(rounds)} rounds.

![The time of each question by the number of people](growth.svg)

{_table(f"time, against {int(fewest):,} people", rows)}"""


def _table(head: str, rows: Mapping[str, ByKind]) -> str:
    lines = [f"| {head} | {' | '.join(KINDS)} |", f"|---|{'---|' * len(KINDS)}"]
    for what, measured in rows.items():
        cells = [str(measured.get(kind, "")) for kind in KINDS]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)
