"""The container and service files, as far as they can be tested without building an image."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis

from settings import Settings
from tests.paths import ROOT
from tests.servers import Server, environment


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its arguments."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = text.replace("\\\n", " ").splitlines()
    return [
        (name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined) if name
    ]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def copied(steps: list[tuple[str, str]]) -> Iterator[str]:
    for name, rest in steps:
        if name == "COPY" and not rest.startswith("--from"):
            yield from rest.split()[:-1]


def test_the_image_is_made_of_files_that_are_there_and_let_in(steps: list[tuple[str, str]]) -> None:
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)

    for source in copied(steps):
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_in, source


def test_every_package_that_the_wheel_is_made_of_is_copied(steps: list[tuple[str, str]]) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    packages = re.search(r"^only-include = (\[.*\])$", project, re.M)

    assert packages
    assert set(json.loads(packages[1])) <= set(copied(steps))


def test_the_image_serves_as_nobody_in_particular(steps: list[tuple[str, str]]) -> None:
    last = dict(steps)
    variables = dict(pair.split("=", 1) for pair in last["ENV"].split())

    assert last["USER"] == "10001:10001"
    assert json.loads(last["CMD"]) == ["gatehouse", "serve"]
    assert entry_points(group="console_scripts", name="gatehouse")
    assert variables["ENVIRONMENT"] == "production"
    assert variables["DATABASE_URL"] == f"sqlite:///{last['VOLUME']}/gatehouse.db"


def test_the_health_check_tells_a_server_from_none(
    steps: list[tuple[str, str]], shared_server: Server
) -> None:
    program = json.loads(dict(steps)["HEALTHCHECK"].partition("CMD")[2])[2]
    port = shared_server.url.rpartition(":")[2]

    def is_healthy(port: str) -> bool:
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment(PORT=port), stderr=subprocess.DEVNULL
        )
        return run.returncode == 0

    assert is_healthy(port)
    assert not is_healthy("1")


def test_the_composed_service_may_do_nothing_but_serve(services: dict[str, Any]) -> None:
    for name in ("gatehouse", "migrate"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for service in services.values():
        assert "no-new-privileges:true" in service["security_opt"]
    assert [name for name, service in services.items() if "ports" in service] == ["gatehouse"]
    assert services["gatehouse"]["ports"][0].startswith("127.0.0.1:")


def test_the_composed_service_waits_until_the_tables_are_there(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["gatehouse", "migrate"]
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    condition = services["gatehouse"]["depends_on"]["migrate"]["condition"]
    assert condition == "service_completed_successfully"
    assert "healthcheck" in services["postgres"]
    assert "healthcheck" in services["redis"]


def test_the_composed_service_is_configured_by_settings_that_exist(
    services: dict[str, Any],
) -> None:
    for name in services["gatehouse"]["environment"]:
        assert name.lower() in Settings.model_fields


def test_ci_runs_on_every_python_that_the_project_names() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    job = workflow["jobs"]["test"]
    steps = [step for each in workflow["jobs"].values() for step in each["steps"]]

    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert {"postgres", "redis"} <= set(job["services"])
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    # A tag can be moved to other code; a commit cannot.
    for step in steps:
        assert re.fullmatch(
            r"actions/[\w-]+@[0-9a-f]{40}", step.get("uses", f"actions/x@{'0' * 40}")
        )
    assert workflow["permissions"] == {"contents": "read"}
    # Without all commits, `tests/test_upgrades.py` would skip the release before.
    assert job["steps"][0]["with"]["fetch-depth"] == 0


def test_whatever_stops_the_server_waits_longer_than_its_grace(services: dict[str, Any]) -> None:
    grace = Settings.model_fields["shutdown_grace_seconds"].default
    unit = (ROOT / "deploy/gatehouse.service").read_text()
    timeout = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)

    assert timeout
    assert int(timeout[1]) >= grace + 10
    assert int(services["gatehouse"]["stop_grace_period"].rstrip("s")) >= grace + 10


def test_the_unit_takes_the_number_of_workers_from_where_check_reads_it() -> None:
    unit = (ROOT / "deploy/gatehouse.service").read_text()
    guide = (ROOT / "deploy/README.md").read_text()

    assert "ExecStart=/opt/gatehouse/bin/gatehouse serve\n" in unit
    assert "\nWORKERS=2\n" in guide


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("hidden", ["", "#(?=LoadCredential|Environment)"])
def test_systemd_accepts_the_unit_with_and_without_credentials(tmp_path: Path, hidden: str) -> None:
    text = re.sub(f"^{hidden}", "", (ROOT / "deploy/gatehouse.service").read_text(), flags=re.M)
    file = tmp_path / "gatehouse.service"
    # The program is where it is on the machine that the unit is for.
    file.write_text(text.replace("/opt/gatehouse/bin/gatehouse", sys.executable))
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True
    )

    assert ("\nLoadCredential=" in text) == bool(hidden)
    assert run.returncode == 0, run.stderr
    assert "gatehouse.service:" not in run.stderr


def test_the_pages_on_deployment_lead_to_files_that_are_there() -> None:
    for page in (ROOT / "deploy").glob("*.md"):
        for link in re.findall(r"\]\((?!https://)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
