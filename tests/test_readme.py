"""The commands of the README's tour, run as they are."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.paths import README
from tests.servers import TIMEOUT_SECONDS, running_server


@pytest.mark.any_database
def test_the_tour_with_curl_works_as_it_stands(database_url: str, tmp_path: Path) -> None:
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.M | re.S))
    with running_server(database_url, SECRET_KEY, tmp_path, DATA_KEY=DATA_KEY) as server:
        commands = commands.replace("http://127.0.0.1:8000", server.url)
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    assert run.returncode == 0, run.stderr
    assert '"register":{"expiresIn":1800' in run.stdout
    assert '"email":"grace@example.com"' in run.stdout
    assert '"kind":"LOGGED_IN"' in run.stdout
    assert '"logoutEverywhere":1' in run.stdout
    assert '"requestPasswordReset":{"expiresIn":600' in run.stdout
    assert '"access_token":"ey' in run.stdout
    assert '"preferred_username":"grace"' in run.stdout
    assert "error" not in run.stdout
