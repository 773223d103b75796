"""npm in a folder of web/, and what its programs need of the server."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from domain.access_tokens.tokens import AccessTokens, Caller
from tests.conftest import SECRET_KEY
from tests.servers import Server


def run_npm(folder: Path, *arguments: str, **variables: str) -> str:
    """Run npm with additional environment variables and return its output."""
    run = subprocess.run(
        ["npm", *arguments],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def expired_token(server: Server) -> str:
    """Return a token as the server would have issued it a minute before it expired."""
    tokens = AccessTokens(
        secret=SECRET_KEY, algorithm="HS256", lifetime=timedelta(minutes=30), issuer=server.url
    )
    caller = Caller(uuid4(), uuid4())
    return tokens.issue(caller, not_after=datetime.now(UTC) - timedelta(minutes=1)).value
