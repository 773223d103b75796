"""The container and service files, as far as they can be tested without building an image."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis

from settings import Settings
from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.paths import ROOT
from tests.proxies import HAPROXY, PROXIES


def compose_command() -> list[str]:
    """Return the command of Docker Compose 2, which needs no engine to read a file."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            version = subprocess.run(
                [*command, "version", "--short"], capture_output=True, text=True
            )
            if re.match(r"v?[2-9]\.", version.stdout):
                return command
    return []


COMPOSE = compose_command()


def interpolated(value: str, variables: dict[str, str]) -> str:
    """Return a value as Compose makes it of `${NAME}`, `${NAME:-default}` and `${NAME:?why}`."""
    variable = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\$\{\w+\})*))?\}")

    def replacement(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        assert kind != "?", rest
        return interpolated(rest or "", variables)

    return variable.sub(replacement, value)


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


def bases(steps: list[tuple[str, str]]) -> Iterator[str]:
    """Return what each stage is built from."""
    arguments = dict(rest.split("=", 1) for name, rest in steps if name == "ARG")
    for name, rest in steps:
        if name == "FROM":
            yield re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], rest.split()[0])


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


def test_the_image_is_built_by_engines_of_2020(steps: list[tuple[str, str]]) -> None:
    """Docker 20.10 and Buildah 1.28 refuse `--start-interval`, and the former mounts, too."""
    options = {option for _, rest in steps for option in re.findall(r"--[\w-]+", rest)}

    assert not options & {"--start-interval", "--mount", "--link", "--chmod"}


def test_each_stage_has_a_base_that_can_be_given_by_digest(steps: list[tuple[str, str]]) -> None:
    arguments = {rest.split("=")[0] for name, rest in steps if name == "ARG"}
    script = (ROOT / "deploy/image.sh").read_text()

    assert all(re.fullmatch(r"(node|python):[\d.]+-[\w-]+|packages", base) for base in bases(steps))
    assert {"NODE", "PYTHON", *re.findall(r"--build-arg (\w+)=", script)} <= arguments


def test_the_image_has_no_tool_that_installs(steps: list[tuple[str, str]]) -> None:
    begin = max(place for place, (name, _) in enumerate(steps) if name == "FROM")
    last = " ".join(rest for _, rest in steps[begin:])

    assert re.search(r"pip .*uninstall .*pip", last)
    assert "rmtree(ensurepip" in last
    assert " install --" not in last.replace("&& install --directory", "")


def test_another_user_may_look_for_a_file_in_the_working_directory(
    steps: list[tuple[str, str]],
) -> None:
    """OpenShift runs the image as any user, of the group 0."""
    mode = re.search(r"install --directory .*--group root --mode (\d+) /data", str(steps))

    assert mode
    assert int(mode[1], 8) & 0o071 == 0o071


def test_the_health_check_is_a_command_that_exists(steps: list[tuple[str, str]]) -> None:
    check = json.loads(dict(steps)["HEALTHCHECK"].partition("CMD")[2])

    assert check[0] == "gatehouse"
    assert callable(import_module(f"cli.{check[1]}").ask)


def test_the_composed_service_may_do_nothing_but_serve(services: dict[str, Any]) -> None:
    for name in ("gatehouse", "migrate"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for service in services.values():
        assert "no-new-privileges:true" in service["security_opt"]
    assert [name for name, service in services.items() if "ports" in service] == ["balancer"]
    assert services["balancer"]["ports"][0].startswith("127.0.0.1:")


def test_an_upgrade_has_two_containers_and_places_for_as_many_as_the_guide_says(
    services: dict[str, Any],
) -> None:
    balancer = (ROOT / "deploy/haproxy.cfg").read_text()
    places = re.search(r"server-template gatehouse (\d+) gatehouse:8000 ", balancer)
    trusted = services["gatehouse"]["environment"]["TRUSTED_PROXIES"]

    assert services["gatehouse"]["deploy"]["replicas"] == 2
    assert "ports" not in services["gatehouse"]
    assert places
    assert f"\nPLACES={places[1]}\n" in (ROOT / "deploy/upgrade.sh").read_text()
    assert f"at most {int(places[1]) // 2}" in (ROOT / "deploy/README.md").read_text()
    assert services["balancer"]["networks"]["front"]["ipv4_address"] in trusted


def test_a_container_starts_again_after_a_reboot(services: dict[str, Any]) -> None:
    """With `unless-stopped`, one that got a signal by `docker kill` does not."""
    for name, service in services.items():
        assert service["restart"] == ("no" if name == "migrate" else "always")


def test_the_composed_service_does_not_get_the_password_of_postgresql(
    services: dict[str, Any],
) -> None:
    for name in ("gatehouse", "migrate"):
        assert services[name]["environment"]["POSTGRES_PASSWORD"] == ""
        assert services[name]["environment"]["DATABASE_URL"].startswith("${DATABASE_URL:-")


@pytest.mark.skipif(not COMPOSE, reason="needs Docker Compose 2")
def test_the_composition_takes_another_database_from_its_env(tmp_path: Path) -> None:
    folder = tmp_path / "gatehouse"
    folder.mkdir()
    shutil.copy(ROOT / "compose.yaml", folder)
    (folder / ".env").write_text(
        "SECRET_KEY=a\nPOSTGRES_PASSWORD=b\nPUBLIC_URL=https://x\nDATABASE_URL=postgresql://db/g\n"
    )
    run = subprocess.run(
        [*COMPOSE, "config", "--format", "json"], cwd=folder, capture_output=True, text=True
    )
    service = json.loads(run.stdout)["services"]["gatehouse"]

    assert service["environment"]["DATABASE_URL"] == "postgresql://db/g"
    assert service["environment"]["POSTGRES_PASSWORD"] == ""


def test_the_composed_service_takes_its_secrets_from_files(
    services: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET_KEY)
    (tmp_path / "redis").write_text("redis://elsewhere")
    (tmp_path / "database").write_text("postgresql://u:p@elsewhere/g")
    env_file = {
        "SECRET_KEY_FILE": "secret",
        "GATEHOUSE_DATABASE_URL_FILE": "database",
        "GATEHOUSE_RATE_LIMIT_STORAGE_URL_FILE": "redis",
        "PUBLIC_URL": "https://accounts.example.com",
        "POSTGRES_PASSWORD": "p",
    }
    composed = {
        name: interpolated(value, env_file)
        for name, value in services["gatehouse"]["environment"].items()
    }
    shown = run(["config", "--json"], tmp_path, **env_file | composed)
    settings = json.loads(shown.stdout)

    assert composed["SECRET_KEY"] == ""
    assert composed["DATABASE_URL"] == "postgresql://gatehouse:p@postgres:5432/gatehouse"
    for name in ("SECRET_KEY", "DATABASE_URL", "RATE_LIMIT_STORAGE_URL"):
        assert settings[name]["source"] == "file", name


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
    for name in services["gatehouse"]["environment"].keys() - {"POSTGRES_PASSWORD"}:
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


@pytest.mark.parametrize(
    ("file", "program", "option"),
    [
        ("nginx.conf", PROXIES["nginx"], "-v"),
        ("Caddyfile", PROXIES["caddy"], "version"),
        ("haproxy.cfg", HAPROXY, "-v"),
    ],
    ids=["nginx", "caddy", "haproxy"],
)
def test_a_proxy_is_tested_on_the_version_that_its_file_names_or_an_older_one(
    file: str, program: str | None, option: str
) -> None:
    """On Debian 12, whose versions the files name. A newer system tests with a newer one."""
    if not program:
        pytest.skip(f"needs the program of {file}")
    named = re.search(
        r"(?:nginx|Caddy|HAProxy) (\d+\.\d+) or newer", (ROOT / "deploy" / file).read_text()
    )
    run = subprocess.run([program, option], capture_output=True, text=True)
    installed = re.search(r"(\d+)\.(\d+)", run.stdout + run.stderr)

    assert named
    assert installed
    assert tuple(map(int, named[1].split("."))) <= tuple(map(int, installed.groups()))


@pytest.mark.parametrize("script", ["image.sh", "upgrade.sh"])
def test_a_script_is_one_that_sh_can_read(script: str) -> None:
    run = subprocess.run(["sh", "-n", str(ROOT / "deploy" / script)], capture_output=True)

    assert run.returncode == 0
    assert os.access(ROOT / "deploy" / script, os.X_OK)
