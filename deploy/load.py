"""Send requests until they are enough, and exit with 1 if one was refused.

    python3 deploy/load.py https://accounts.example.com/graphql --seconds 120

Run it beside an upgrade: it reads posts on eight connections, about a hundred times a second, and
prints what was not answered with 200 and data. It needs Python 3.11 and no package.
"""

import argparse
import http.client
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

CONNECTIONS = 8
PAUSE_SECONDS = 0.07
QUERY = json.dumps({"query": "{ posts(first: 1) { edges { node { id } } } }"})
HEADERS = {"Content-Type": "application/json"}
OK = "ok"


def main() -> None:
    parser = argparse.ArgumentParser(description="Send requests, and say which were refused.")
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    with ThreadPoolExecutor(CONNECTIONS) as clients:
        url = urlsplit(arguments.url)
        outcomes = sum(
            clients.map(lambda _: send_requests(url, until), range(CONNECTIONS)), Counter[str]()
        )
    refused = {outcome: number for outcome, number in outcomes.items() if outcome != OK}
    print(f"{outcomes.total()} requests, {sum(refused.values())} refused: {refused}")
    raise SystemExit(1 if refused or not outcomes else 0)


def send_requests(url: SplitResult, until: float) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    connection = connect(url)
    while time.monotonic() < until:
        try:
            outcomes[outcome_of(connection, url.path or "/")] += 1
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcomes[f"{type(error).__name__}: {error}"] += 1
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return outcomes


def connect(url: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    return kind(url.hostname or "", url.port, timeout=15)


def outcome_of(connection: http.client.HTTPConnection, path: str) -> str:
    connection.request("POST", path, QUERY, HEADERS)
    response = connection.getresponse()
    body = response.read()
    if response.status != HTTPStatus.OK:
        return str(response.status)
    answer = json.loads(body)
    return OK if answer.get("data") else json.dumps(answer.get("errors"))


if __name__ == "__main__":
    main()
