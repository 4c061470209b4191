"""infra/kubernetes/serving.yaml: what a cluster starts, to whom it sends queries, and who may ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.config import load_config
from pipelines.config.serving import ServingSection
from serving.api import health
from serving.metrics import Metrics
from tests.infra.dockerfile import Dockerfile
from tests.infra.terraform import load
from tools.images import image_name, version
from tools.setup_env import ROOT

FOLDER = ROOT / "infra/kubernetes"
MANIFESTS = {
    (one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all((FOLDER / "serving.yaml").read_text())
}
NAME = "visual-search-serving"
DEPLOYMENT = MANIFESTS["Deployment", NAME]["spec"]
POD = DEPLOYMENT["template"]["spec"]
(CONTAINER,) = POD["containers"]
PORT = CONTAINER["ports"][0]
LABELS = DEPLOYMENT["template"]["metadata"]["labels"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.mark.parametrize("name", MANIFESTS, ids="-".join)
def test_kubernetes_knows_every_key(name: tuple[str, str]) -> None:
    kubernetes_validate.validate(MANIFESTS[name], "1.31", strict=True)


def test_what_belongs_to_a_pod_finds_it_by_its_labels() -> None:
    selectors = [DEPLOYMENT["selector"]["matchLabels"]]
    selectors += [one["spec"]["selector"] for (kind, _), one in MANIFESTS.items() if kind == "Service"]
    selectors += [MANIFESTS["PodDisruptionBudget", NAME]["spec"]["selector"]["matchLabels"]]
    selectors += [MANIFESTS["NetworkPolicy", NAME]["spec"]["podSelector"]["matchLabels"]]
    assert selectors == [LABELS] * 5
    scaled = MANIFESTS["HorizontalPodAutoscaler", NAME]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", NAME)


def test_the_image_is_that_of_the_dockerfile_and_listens_where_it_is_asked() -> None:
    assert CONTAINER["image"] == image_name("serving", version(ROOT))
    assert Dockerfile.read().effective("serving", "EXPOSE") == str(PORT["containerPort"])
    ports = [port for (kind, _), one in MANIFESTS.items() if kind == "Service" for port in one["spec"]["ports"]]
    assert {port["targetPort"] for port in ports} == {PORT["name"]}
    headless = MANIFESTS["Service", f"{NAME}-pods"]["spec"]
    assert (headless["clusterIP"], headless["ports"][0]["port"]) == ("None", PORT["containerPort"])
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in PROBES} == {PORT["name"]}


def test_it_is_started_as_the_command_line_takes_it(tmp_path: Path) -> None:
    """All but the files that the cluster mounts is there: what is missing is the first thing that it says."""
    mounted = {mount["mountPath"]: mount["name"] for mount in CONTAINER["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in POD["volumes"]}
    words = CONTAINER["args"]
    config, keys = (words[words.index(option) + 1] for option in ("--config", "--api-keys"))
    settings = volumes[mounted[str(Path(config).parent)]]["configMap"]["name"]
    example = yaml.safe_load((FOLDER / "config.yaml").read_text())
    assert settings == example["metadata"]["name"]
    assert list(example["data"]) == [Path(config).name]
    assert volumes[mounted[str(Path(keys).parent)]]["secret"]["secretName"] == "visual-search-keys"
    (tmp_path / "shop.toml").write_text(example["data"]["shop.toml"])
    given = [str(tmp_path / "shop.toml") if word == config else word for word in words]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 1 and f"the file of keys {keys} cannot be read" in done.output, done.output
    assert load_config(tmp_path / "shop.toml").serving == ServingSection()


def test_a_pod_is_asked_where_the_service_answers() -> None:
    routes = {getattr(route, "path", None) for route in health.router.routes}
    assert {CONTAINER[probe]["httpGet"]["path"] for probe in PROBES} == {"/readyz", "/healthz"} <= routes
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/healthz"  # a pod that cannot load a release still answers
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_pod_that_ends_has_time_for_its_last_query() -> None:
    section, grace = ServingSection(), POD["terminationGracePeriodSeconds"]
    assert grace > section.drain_s + section.deadline_ms / 1000 + section.body_s - 1
    ready = CONTAINER["readinessProbe"]
    assert section.drain_s > ready["periodSeconds"] * ready["failureThreshold"]


def test_a_new_version_takes_no_answering_pod_away() -> None:
    assert DEPLOYMENT["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert "replicas" not in DEPLOYMENT  # the autoscaler's business
    assert MANIFESTS["HorizontalPodAutoscaler", NAME]["spec"]["minReplicas"] >= 2


def test_more_pods_are_started_by_a_metric_that_there_is() -> None:
    (metric,) = MANIFESTS["HorizontalPodAutoscaler", NAME]["spec"]["metrics"]
    name, wanted = metric["pods"]["metric"]["name"], int(metric["pods"]["target"]["averageValue"])
    assert f"\n{name} ".encode() in Metrics().text()
    section = ServingSection()
    assert 0 < wanted < section.batch < section.queue


def test_a_pod_that_decodes_strangers_photos_can_do_no_harm() -> None:
    assert POD["automountServiceAccountToken"] is False
    assert MANIFESTS["ServiceAccount", NAME]["automountServiceAccountToken"] is False
    security = POD["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert f"useradd --uid {security['runAsUser']} --gid search" in (ROOT / "infra/images/Dockerfile").read_text()
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = [mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")]
    assert written == ["/tmp"]
    resources = CONTAINER["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]  # it is not the first to be evicted


def test_its_account_reads_the_store_and_nothing_else() -> None:
    module = load(ROOT / "infra/terraform")
    variable: dict[str, Any] = module.variables["serving_service_account"]
    assert POD["serviceAccountName"] == NAME == str(variable["default"]).strip('"')
    text = (ROOT / "infra/terraform/service_accounts.tf").read_text()
    roles = [line for line in text.splitlines() if '"serving"' in line]
    assert [line.split()[0] for line in roles] == ['"roles/storage.objectViewer"']


def test_who_promotes_may_ask_and_others_need_the_label() -> None:
    assert {one["spec"].get("type", "ClusterIP") for (kind, _), one in MANIFESTS.items() if kind == "Service"} == {
        "ClusterIP"
    }
    (rule,) = MANIFESTS["NetworkPolicy", NAME]["spec"]["ingress"]
    label = next(source["podSelector"]["matchLabels"] for source in rule["from"] if "podSelector" in source)
    for name in ("pod.yaml", "gpu-pod.yaml"):
        pod = yaml.safe_load((FOLDER / name).read_text())
        assert pod["metadata"]["labels"].items() >= label.items()
    assert rule["ports"] == [{"port": PORT["name"]}]
