"""`deploy/upgrade.sh` with a stand-in of Docker, whose containers are real servers."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import databases
from tests.conftest import SECRET_KEY
from tests.docker_stand_in import is_running, stop
from tests.paths import ROOT
from tests.proxies import HAPROXY, Balancer, running_balancer
from tests.servers import CHEAP_SETTINGS, GATEHOUSE, SERVE, environment, free_port, wait_until

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not HAPROXY or sys.platform != "linux", reason="needs haproxy, on Linux"),
]

# More than a build, a start and a stop of each container take here.
UPGRADE_SECONDS = 120

# Of the containers. What listens elsewhere for another test takes no port of it.
HOST = "127.0.0.7"


@dataclass
class Composition:
    """Two containers behind the balancer."""

    state_file: Path
    balancer: Balancer

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.state_file.read_text())
        return state

    def containers(self) -> list[str]:
        return list(self.state()["containers"])

    def set(self, **values: object) -> None:
        self.state_file.write_text(json.dumps(self.state() | values))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        folder = self.state_file.parent
        variables = environment(DOCKER_STATE=str(self.state_file), READY_SECONDS="15")
        variables["UNFINISHED_FILE"] = str(folder / "unfinished")
        variables["PATH"] = f"{folder}:{variables['PATH']}"
        return subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=UPGRADE_SECONDS
        )

    def upgrade(self) -> subprocess.CompletedProcess[str]:
        return self.run(str(ROOT / "deploy/upgrade.sh"))

    def is_served(self) -> bool:
        return httpx.get(f"{self.balancer.url}/health/ready").is_success


@pytest.fixture
def composition(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Composition]:
    docker = tmp_path / "docker"
    stand_in = shlex.join([sys.executable, str(ROOT / "tests/docker_stand_in.py")])
    docker.write_text(f'#!/bin/sh\nexec {stand_in} "$@"\n')
    docker.chmod(0o755)
    ports = [free_port() for _ in range(6)]
    settings = environment(
        **CHEAP_SETTINGS,
        DATABASE_URL=databases.copy_of(migrated_sqlite, tmp_path),
        SECRET_KEY=SECRET_KEY,
        HOST=HOST,
        TRUSTED_PROXIES="127.0.0.1",
    )
    with running_balancer(tmp_path, [f"{HOST}:{port}" for port in ports]) as balancer:
        composition = Composition(tmp_path / "state.json", balancer)
        composition.state_file.write_text("{}")
        composition.set(
            containers={},
            ports=ports,
            ready_url=balancer.ready_url,
            serve=SERVE,
            migrate=[GATEHOUSE, "migrate"],
            environment=settings,
            changed={},
        )
        # HAProxy begins with all servers, and finds out that none is there.
        wait_until(lambda: balancer.serving() == 0)
        composition.run("docker", "compose", "up", "--scale", "gatehouse=2", "gatehouse")
        wait_until(lambda: balancer.serving() == 2)
        try:
            yield composition
        finally:
            for container in composition.state()["containers"].values():
                with suppress(OSError):
                    os.kill(container["process"], signal.SIGTERM)
                wait_until(lambda process=container["process"]: not is_running(process))  # type: ignore[misc]


def test_an_upgrade_replaces_all_containers_and_refuses_nothing(composition: Composition) -> None:
    before = composition.containers()
    url = f"{composition.balancer.url}/graphql"
    load = subprocess.Popen(
        [sys.executable, ROOT / "deploy/load.py", url, "--seconds", "30"], stdout=subprocess.PIPE
    )
    upgrade = composition.upgrade()
    report = load.communicate(timeout=UPGRADE_SECONDS)[0].decode()

    assert upgrade.returncode == 0, upgrade.stderr
    assert len(composition.containers()) == 2
    assert not {*before} & {*composition.containers()}
    assert ", 0 refused: {}" in report
    assert "Done: 2 containers serve." in upgrade.stdout


def test_a_migration_that_fails_leaves_the_old_containers(composition: Composition) -> None:
    before = composition.containers()
    composition.set(migrate=["false"])
    upgrade = composition.upgrade()

    assert upgrade.returncode != 0
    assert composition.containers() == before
    assert composition.is_served()


def test_new_containers_that_are_not_ready_are_removed(composition: Composition) -> None:
    before = composition.containers()
    composition.set(changed={"DATABASE_URL": "postgresql://nobody:wrong@127.0.0.1:1/none"})
    upgrade = composition.upgrade()

    assert upgrade.returncode != 0
    assert "The old containers serve on." in upgrade.stderr
    assert composition.containers() == before
    assert composition.is_served()


def test_a_second_run_removes_what_docker_could_not_stop(composition: Composition) -> None:
    before = composition.containers()
    composition.set(stop_fails=True)
    failed = composition.upgrade()

    assert failed.returncode != 0
    assert "Run this again." in failed.stderr
    assert len(composition.containers()) == 4

    left = composition.containers()
    upgrade = composition.upgrade()

    assert upgrade.returncode == 0, upgrade.stderr
    assert len(composition.containers()) == 2
    assert not {*left} & {*composition.containers()}
    # The release before, and not that of the first run.
    assert composition.state()["previous"] == f"image-of-{before[0]}"
    assert "Done: 2 containers serve." in upgrade.stdout


def test_a_third_run_takes_the_number_that_runs(composition: Composition) -> None:
    """A first one failed, and somebody has removed the containers that it left."""
    before = composition.containers()
    composition.set(stop_fails=True)
    composition.upgrade()
    for container in before:
        composition.run("docker", "rm", "--force", container)
    wait_until(lambda: composition.balancer.serving() == 2)
    now = composition.containers()
    upgrade = composition.upgrade()

    assert upgrade.returncode == 0, upgrade.stderr
    assert len(composition.containers()) == 2
    assert composition.state()["previous"] == f"image-of-{now[0]}"


def test_an_old_container_that_is_not_ready_prevents_the_upgrade(composition: Composition) -> None:
    before = composition.containers()
    stop(composition.state()["containers"][before[0]]["process"], signal.SIGKILL)
    wait_until(lambda: composition.balancer.serving() == 1)
    upgrade = composition.upgrade()

    assert upgrade.returncode == 1
    assert "2 containers run, and the balancer sends requests to 1." in upgrade.stderr
    assert composition.containers() == before
    assert composition.is_served()


def test_more_containers_than_the_balancer_has_places_for_are_refused(
    composition: Composition,
) -> None:
    before = composition.state()["containers"]
    composition.set(containers={f"{number}": {} for number in range(17)})
    upgrade = composition.upgrade()
    composition.set(containers=before)

    assert upgrade.returncode == 1
    assert "17 containers and 17 new ones are more than the 32" in upgrade.stderr
    assert "At most 16 containers can be upgraded." in upgrade.stderr
