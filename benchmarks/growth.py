"""What people do most, by how many there are: each question from one connection, by people from all over the tables."""

from collections.abc import Iterator, Mapping, Sequence

import httpx

from benchmarks import wrk
from benchmarks.bulk_rows import CHEAP, Crowd
from benchmarks.operations import LOGIN, ME, PAGE, REFRESH, SECURITY_EVENTS, body
from benchmarks.seeded_database import PASSWORD
from benchmarks.servers import BASE_URL, serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS, Request

ASKING = 200
LASTS = max(1, SECONDS // 2)

SETTINGS = {name.upper(): str(value) for name, value in CHEAP.items()} | {
    # What is spent within it is remembered, which is more than people spend who refresh twice an hour.
    "REFRESH_GRACE_SECONDS": "0",
}


def growth(crowds: Sequence[Crowd]) -> Mapping[str, object]:
    """The median of the times, in milliseconds, by the kind of database, by the number of people, by question."""
    figures: dict[str, dict[str, object]] = {}
    for crowd in crowds:
        figures.setdefault(crowd.kind, {})[str(crowd.people)] = _times_ms(crowd)
    return figures


def _times_ms(crowd: Crowd) -> dict[str, float]:
    with serving(GATEHOUSE, crowd.url, **SETTINGS):
        questions = _questions(crowd)
        return {name: _median_ms(name, requests) for name, requests in questions.items()}


def _questions(crowd: Crowd) -> dict[str, list[Request]]:
    step = crowd.people // ASKING
    logins = [
        body(LOGIN, username=f"user{number}", password=PASSWORD)
        for number in range(1, crowd.people, step)
    ]
    tokens = list(_logged_in(logins))
    asked = {"me": ME, "posts": PAGE, "securityEvents": SECURITY_EVENTS}
    return {
        **{
            name: [Request(body(document), access) for access, _ in tokens]
            for name, document in asked.items()
        },
        "login": [Request(login) for login in logins],
        "refresh": [Request(body(REFRESH, token=refresh)) for _, refresh in tokens],
    }


def _logged_in(logins: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Their access tokens and refresh tokens."""
    with httpx.Client(base_url=BASE_URL, headers={"Content-Type": "application/json"}) as client:
        for login in logins:
            token = client.post("/graphql", content=login).json()["data"]["login"]
            yield token["accessToken"], token["refreshToken"]


def _median_ms(name: str, requests: Sequence[Request]) -> float:
    chain = name == "refresh"
    return wrk.load("/graphql", requests, connections=1, seconds=LASTS, chain=chain).p50_ms
