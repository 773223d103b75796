"""A stand-in of the `docker` command for `deploy/upgrade.sh`, whose containers are processes.

No Docker engine runs where the tests do. It knows the commands of that script and no others, and
keeps its containers in the file DOCKER_STATE: their processes, and the ports that they listen on.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("DOCKER_STATE", "state.json"))

Containers = dict[str, dict[str, Any]]


def main(arguments: list[str]) -> int:
    state = json.loads(STATE.read_text())
    status = run(arguments, state)
    STATE.write_text(json.dumps(state))
    return status


def run(arguments: list[str], state: dict[str, Any]) -> int:
    if arguments[0] == "compose":
        return compose(arguments[1:], state)
    return docker(arguments, state)


def compose(arguments: list[str], state: dict[str, Any]) -> int:
    match arguments:
        case ["ps", "--quiet", "gatehouse"] | ["ps", "--all", "--quiet", "gatehouse"]:
            print("\n".join(state["containers"]))
        case ["exec", "-T", "balancer", *_]:
            print(urllib.request.urlopen(state["ready_url"], timeout=5).read().decode().strip())
        case ["run", "--rm", "--no-deps", "migrate"]:
            return subprocess.run(state["migrate"], env=state["environment"]).returncode
        case ["up", *_, "--scale", scale, "gatehouse"]:
            while len(state["containers"]) < int(scale.partition("=")[2]):
                start(state)
        case ["build", "gatehouse"] | ["rm", "--force", "gatehouse"]:
            pass
        case _:
            raise SystemExit(f"unknown: {arguments}")
    return 0


def docker(arguments: list[str], state: dict[str, Any]) -> int:
    containers: Containers = state["containers"]
    match arguments:
        case ["stop", *_] if state.pop("stop_fails", False):
            return 1
        case ["stop", "--time", _, *names]:
            for name in names:
                stop(containers[name]["process"], signal.SIGTERM)
        case ["rm", "--force", name]:
            stop(containers.pop(name)["process"], signal.SIGKILL)
        case ["rm", *names]:
            for name in names:
                del containers[name]
        case ["inspect", "--format", "{{.Image}}", name]:
            print(f"image-of-{name}")
        case ["tag", image, "gatehouse:previous"]:
            state["previous"] = image
        case ["logs", *_]:
            pass
        case _:
            raise SystemExit(f"unknown: {arguments}")
    return 0


def start(state: dict[str, Any]) -> None:
    containers: Containers = state["containers"]
    port = min({*state["ports"]} - {each["port"] for each in containers.values()})
    process = subprocess.Popen(
        state["serve"],
        env=state["environment"] | state["changed"] | {"PORT": str(port)},
        cwd=STATE.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    containers[f"{port}-{process.pid}"] = {"process": process.pid, "port": port}


def stop(process: int, by: signal.Signals) -> None:
    os.kill(process, by)
    while is_running(process):
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Return whether it runs. Nobody may have waited for one that has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
