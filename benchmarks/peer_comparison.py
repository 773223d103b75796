"""`me`, and a page of posts with their authors: Gatehouse and its peers, one after the other."""

from collections.abc import Iterable, Sequence

import httpx

from benchmarks import targets, wrk
from benchmarks.operations import ME, PAGE, body
from benchmarks.seeded_database import POSTGRESQL, Town
from benchmarks.servers import BASE_URL, memory_mib, serving
from benchmarks.targets import GATEHOUSE, NAIVE, Contestant
from benchmarks.wrk import Request

CONNECTIONS = 64

# What a right answer has in it, besides what is asked for.
OF_THE_FIRST_PERSON = "person0@example.com"
OF_THE_NEWEST_POST = "person.499"


def me(towns: Sequence[Town]) -> dict[str, object]:
    return {
        town.kind: _in_turns(_knowing(town, targets.ASKED_FOR_ME), town, ME, OF_THE_FIRST_PERSON)
        for town in towns
    }


def page(towns: Sequence[Town]) -> dict[str, object]:
    return {
        town.kind: _in_turns([GATEHOUSE, NAIVE], town, PAGE, OF_THE_NEWEST_POST) for town in towns
    }


def _knowing(town: Town, asked: Iterable[Contestant]) -> list[Contestant]:
    return [one for one in asked if town.kind == POSTGRESQL or one.knows_sqlite]


def _in_turns(
    asked: Iterable[Contestant], town: Town, document: str, proof: str
) -> dict[str, dict[str, float]]:
    return {contestant.name: _measure(contestant, town, document, proof) for contestant in asked}


def _measure(contestant: Contestant, town: Town, document: str, proof: str) -> dict[str, float]:
    requests = town.all_ask("" if contestant.is_rest else body(document))
    with serving(contestant, town.url) as process:
        _check(contestant, requests[0], proof)
        wrk.load(contestant.path, requests, connections=CONNECTIONS, seconds=1)  # to warm up
        load = wrk.load(contestant.path, requests, connections=CONNECTIONS)
        memory = memory_mib(process)
    return {"rate": load.rate, "p99": load.p99_ms, "busy": load.busy, "memory": memory}


def _check(contestant: Contestant, request: Request, proof: str) -> None:
    response = httpx.request(
        "GET" if contestant.is_rest else "POST",
        BASE_URL + contestant.path,
        content=request.body or None,
        headers={"Authorization": f"Bearer {request.token}", "Content-Type": "application/json"},
    )
    assert proof in response.text, response.text
