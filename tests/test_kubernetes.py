"""The manifests of deploy/kubernetes, validated against the schemas of Kubernetes.

No cluster runs here: these tests hold what the files say, and not what a cluster does with them.
"""

import shutil
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis

from domain.rate_limits import redis_url
from settings import Settings
from settings.variables import PREFIX
from tests.paths import ROOT
from tests.servers import Server

FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.27", "1.37"
KUBECTL = shutil.which("kubectl")

Manifest = dict[str, Any]


def manifests_in(text: str) -> dict[str, Manifest]:
    """Return the manifests by their kind, of which there is one each."""
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(text)}


def files() -> list[Path]:
    return [file for file in sorted(FOLDER.glob("*/*.yaml")) if file.name != "kustomization.yaml"]


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    return manifests_in("\n---\n".join(file.read_text() for file in files()))


@pytest.fixture(scope="module")
def rendered() -> dict[str, Manifest]:
    if not KUBECTL:
        pytest.skip("needs kubectl")
    command = [KUBECTL, "kustomize", str(FOLDER / "example")]
    return manifests_in(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="module")
def pods(manifests: dict[str, Manifest]) -> list[Manifest]:
    return [manifests[kind]["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]


@pytest.fixture(scope="module")
def server(pods: list[Manifest]) -> Manifest:
    """Return the container of the Deployment."""
    container: Manifest = pods[0]["containers"][0]
    return container


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_each_manifest_fits_the_schema(file: Path, version: str) -> None:
    assert kubernetes_validate.validate(yaml.safe_load(file.read_text()), version, strict=True)


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("Deployment", ["spec", "template", "spec"], "enableServiceLink"),
        ("Job", ["spec"], "backofLimit"),
        ("NetworkPolicy", ["spec"], "policyType"),
        ("HorizontalPodAutoscaler", ["spec", "behavior", "scaleDown"], "stabilisationSeconds"),
    ],
)
def test_a_field_that_does_not_exist_is_found(
    manifests: dict[str, Manifest], kind: str, path: list[str], name: str
) -> None:
    wrong = deepcopy(manifests[kind])
    part = wrong
    for step in path:
        part = part[step]
    part[name] = True

    with pytest.raises(kubernetes_validate.ValidationError, match=name):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_example_renders_to_manifests_that_fit(
    rendered: dict[str, Manifest], manifests: dict[str, Manifest], version: str
) -> None:
    for manifest in rendered.values():
        kubernetes_validate.validate(manifest, version, strict=True)

    assert rendered.keys() == {*manifests, "ConfigMap"}


def test_the_example_names_image_settings_and_namespace_everywhere(
    rendered: dict[str, Manifest],
) -> None:
    settings = rendered["ConfigMap"]["metadata"]["name"]

    assert settings.startswith("gatehouse-")
    for kind in ("Deployment", "Job"):
        container = rendered[kind]["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == "registry.example.com/gatehouse:1.0.0"
        assert {"configMapRef": {"name": settings}} in container["envFrom"]
    for kind in rendered.keys() - {"Namespace"}:
        assert rendered[kind]["metadata"]["namespace"] == "gatehouse"


def test_the_settings_exist(manifests: dict[str, Manifest], server: Manifest) -> None:
    lines = (FOLDER / "example" / "settings.env").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if not line.startswith("#")]

    for name in [*names, *(variable["name"] for variable in server["env"])]:
        assert name.lower().startswith(PREFIX)
        assert name.lower().removeprefix(PREFIX) in Settings.model_fields


def test_pods_may_do_nothing_but_serve(pods: list[Manifest]) -> None:
    for pod in pods:
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["containers"][0]["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_pod_ends_after_its_last_request(pods: list[Manifest], server: Manifest) -> None:
    grace = Settings.model_fields["shutdown_grace_seconds"].default
    command = server["lifecycle"]["preStop"]["exec"]["command"]

    assert command[0] == "sleep"
    assert pods[0]["terminationGracePeriodSeconds"] >= int(command[1]) + grace + 10


def test_probes_read_the_health_routes(server: Manifest, shared_server: Server) -> None:
    paths = {
        name: server[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }

    assert paths == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    for path in paths.values():
        assert httpx.get(shared_server.url + path).status_code == 200


def test_ports_are_those_of_the_settings(manifests: dict[str, Manifest], server: Manifest) -> None:
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    named = {
        port["port"]
        for rule in manifests["NetworkPolicy"]["spec"]["ingress"]
        for port in rule["ports"]
    }

    assert ports["http"] == Settings.model_fields["port"].default
    assert named == ports.keys()
    assert manifests["Service"]["spec"]["ports"][0]["targetPort"] == "http"


def test_selectors_name_the_pods_of_the_server(manifests: dict[str, Manifest]) -> None:
    spec = manifests["Deployment"]["spec"]
    labels = spec["template"]["metadata"]["labels"]

    assert spec["selector"]["matchLabels"] == labels
    assert manifests["Service"]["spec"]["selector"] == labels
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "gatehouse"
    # The policy is for the pods of the migration, too, which the selectors must not name.
    assert (
        manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    )
    assert manifests["Job"]["spec"]["template"]["metadata"]["labels"] != labels


@pytest.mark.parametrize(
    "url", ["redis://redis/0", "redis+sentinel://a,b/service/0", "redis+cluster://a,b"]
)
def test_pods_may_open_connections_to_the_default_ports_of_redis(
    manifests: dict[str, Manifest], url: str
) -> None:
    allowed = {
        port["port"]
        for rule in manifests["NetworkPolicy"]["spec"]["egress"]
        for port in rule["ports"]
    }

    assert {port for _, port in redis_url.parse(url).hosts} <= allowed


def test_a_rollout_never_has_fewer_pods(manifests: dict[str, Manifest]) -> None:
    spec = manifests["Deployment"]["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    # The autoscaler's number would be reset with each release.
    assert "replicas" not in spec
    assert manifests["HorizontalPodAutoscaler"]["spec"]["minReplicas"] > 1


def test_the_guide_selects_by_labels_that_the_manifests_have(
    manifests: dict[str, Manifest],
) -> None:
    guide = (ROOT / "docs/how-to/kubernetes.md").read_text()
    components = {
        manifest["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        for manifest in manifests.values()
    }

    assert components == {"server", "migration", None}
    assert "component!=server" in guide
    assert "component=server" in guide
    assert f"Kubernetes {OLDEST}" in guide
