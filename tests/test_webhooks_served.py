"""Webhooks of `gatehouse serve`, with several workers."""

import json
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from tests import databases
from tests.conftest import SECRET_KEY
from tests.fault_server import FaultServer, Response, serving_in_thread
from tests.operations import REGISTER
from tests.servers import running_server, wait_until
from tests.webhooks import SECRET, ids_of


@pytest.fixture
def endpoint() -> FaultServer:
    return FaultServer(answers={"/hook": lambda _: Response(204)})


def test_each_event_is_sent_once_by_one_of_the_workers(
    migrated_sqlite: Path, tmp_path: Path, endpoint: FaultServer
) -> None:
    url = databases.copy_of(migrated_sqlite, tmp_path)
    with serving_in_thread(endpoint):
        settings = {
            "WORKERS": "2",
            "WEBHOOKS": f"{endpoint.url}/hook",
            "WEBHOOK_SECRETS": SECRET,
            "WEBHOOK_EVENTS": "user.*",
        }
        with running_server(url, SECRET_KEY, tmp_path, **settings) as server:
            for number in range(5):
                user = {
                    "username": f"ada{number}x",
                    "email": f"ada{number}@example.com",
                    "password": "analytical engine",
                }
                answer = httpx.post(
                    f"{server.url}/graphql", json={"query": REGISTER, "variables": user}
                )
                assert "errors" not in answer.json()
            wait_until(lambda: len(endpoint.requests) >= 5)

    assert len(set(ids_of(endpoint.requests))) == len(endpoint.requests) == 5
    for request in endpoint.requests:
        Webhook(SECRET).verify(request.body, request.headers)
        assert json.loads(request.body)["type"] == "user.registered"
