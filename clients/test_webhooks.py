"""The public library of Standard Webhooks for JavaScript verifies the webhooks of Gatehouse. (Those
for Python are in ``tests/test_webhooks.py``.)"""

import json
import os
import subprocess
import time

import pytest

from clients.npm import run_npm
from domain.webhooks import signature
from tests.paths import ROOT
from tests.webhooks import FORMER_SECRET, SECRET

EXAMPLES = ROOT / "web" / "examples"
PROGRAM = ("run", "--silent", "program", "src/webhooks.ts")

BODY = json.dumps({"type": "user.updated", "data": {"userId": "019ab8d1-9c1e-7d06-8c4f-4f1a3f2a"}})


def signed(*secrets: str) -> str:
    return json.dumps(signature.headers("019ac1f0-7b1e", int(time.time()), BODY.encode(), secrets))


@pytest.mark.parametrize("secret", [SECRET, FORMER_SECRET])
def test_a_webhook_is_verified_with_either_secret_while_one_is_replaced(secret: str) -> None:
    headers = signed(SECRET, FORMER_SECRET)
    event = run_npm(EXAMPLES, *PROGRAM, SECRET=secret, BODY=BODY, HEADERS=headers)

    assert json.loads(event) == json.loads(BODY)


@pytest.mark.parametrize(
    ("secret", "body"), [(FORMER_SECRET, BODY), (SECRET, f"{BODY} ")], ids=["secret", "body"]
)
def test_another_secret_or_body_is_refused(secret: str, body: str) -> None:
    ended = subprocess.run(
        ["npm", *PROGRAM],
        cwd=EXAMPLES,
        env={**os.environ, "SECRET": secret, "BODY": body, "HEADERS": signed(SECRET)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ended.returncode != 0
    assert "No matching signature found" in ended.stderr
