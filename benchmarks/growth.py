"""The times of frequent operations by the number of users in the database.

Each operation runs over one connection, for users from all over the tables.
"""

from collections.abc import Iterator, Mapping, Sequence

import httpx

from benchmarks import wrk
from benchmarks.bulk_rows import CHEAP, BulkDatabase
from benchmarks.operations import LOGIN, ME, PAGE, REFRESH, SECURITY_EVENTS, body
from benchmarks.seeded_database import PASSWORD
from benchmarks.servers import BASE_URL, serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS, Request

MEASURED_USERS = 200
DURATION_SECONDS = max(1, SECONDS // 2)

SETTINGS = {name.upper(): str(value) for name, value in CHEAP.items()} | {
    # A session stores each refresh of the grace period. This benchmark refreshes without a pause,
    # where a client does so about twice an hour.
    "REFRESH_GRACE_SECONDS": "0",
}


def growth(databases: Sequence[BulkDatabase]) -> Mapping[str, object]:
    """Return median times in milliseconds by kind of database, number of users and operation."""
    figures: dict[str, dict[str, object]] = {}
    for database in databases:
        figures.setdefault(database.kind, {})[str(database.users)] = _times_ms(database)
    return figures


def _times_ms(database: BulkDatabase) -> dict[str, float]:
    with serving(GATEHOUSE, database.url, **SETTINGS):
        operations = _requests(database)
        return {name: _median_ms(name, requests) for name, requests in operations.items()}


def _requests(database: BulkDatabase) -> dict[str, list[Request]]:
    """Return the requests of each operation, one for each measured user."""
    step = database.users // MEASURED_USERS
    logins = [
        body(LOGIN, username=f"user{number}", password=PASSWORD)
        for number in range(1, database.users, step)
    ]
    tokens = list(_log_in(logins))
    reads = {"me": ME, "posts": PAGE, "securityEvents": SECURITY_EVENTS}
    return {
        **{
            name: [Request(body(document), access) for access, _ in tokens]
            for name, document in reads.items()
        },
        "login": [Request(login) for login in logins],
        "refresh": [Request(body(REFRESH, token=refresh)) for _, refresh in tokens],
    }


def _log_in(logins: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the access token and the refresh token of each login."""
    with httpx.Client(base_url=BASE_URL, headers={"Content-Type": "application/json"}) as client:
        for login in logins:
            token = client.post("/graphql", content=login).json()["data"]["login"]
            yield token["accessToken"], token["refreshToken"]


def _median_ms(name: str, requests: Sequence[Request]) -> float:
    return wrk.load(
        "/graphql",
        requests,
        expected='"data"',
        connections=1,
        seconds=DURATION_SECONDS,
        chain=name == "refresh",
    ).p50_ms
