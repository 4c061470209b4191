"""infra/flink/deployment.yaml: what the cluster is asked for, and who may reach it."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.infra.dockerfile import Dockerfile
from tools.images import image_name, version
from tools.setup_env import ROOT

OPERATOR = "org.apache.flink:flink-kubernetes-operator-api:1.10.0"
DEFINITION = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    listed = yaml.safe_load_all((ROOT / "infra/flink/deployment.yaml").read_text())
    return {(one["kind"], one["metadata"]["name"]): one for one in listed}


MANIFESTS = manifests()
FLINK = MANIFESTS["FlinkDeployment", "flink"]["spec"]
JOB_SERVER = MANIFESTS["Deployment", "beam-job-server"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", [name for name in MANIFESTS if name[0] != "FlinkDeployment"], ids="-".join)
def test_kubernetes_knows_every_key(name: tuple[str, str]) -> None:
    kubernetes_validate.validate(MANIFESTS[name], "1.31", strict=True)


def test_the_pods_of_flink_are_such_as_kubernetes_knows() -> None:
    kubernetes_validate.validate(FLINK["podTemplate"] | {"kind": "Pod", "apiVersion": "v1"}, "1.31", strict=True)


def test_the_images_are_those_of_the_dockerfile_and_of_this_version() -> None:
    file = Dockerfile.read()
    assert FLINK["image"] == image_name("flink", version(ROOT))
    minor = file.version("FLINK").rpartition(".")[0]
    assert FLINK["flinkVersion"] == f"v{minor.replace('.', '_')}"
    job_server = f"apache/beam_flink{minor}_job_server:{file.version('BEAM')}"
    assert JOB_SERVER["containers"][0]["image"] == job_server


def test_a_cluster_of_two_restarts_what_fails_and_spreads_what_runs() -> None:
    told = FLINK["flinkConfiguration"]
    assert (FLINK["jobManager"]["replicas"], FLINK["taskManager"]["replicas"]) == (1, 2)
    assert FLINK["mode"] == "standalone"
    assert "job" not in FLINK  # a session cluster: the job server brings the jobs
    assert told["restart-strategy.type"] == "fixed-delay"
    assert told["restart-strategy.fixed-delay.attempts"] == "5"
    assert told["restart-strategy.fixed-delay.delay"] == "10 s"
    assert told["taskmanager.load-balance.mode"] == "SLOTS"
    slots = int(told["taskmanager.numberOfTaskSlots"]) * FLINK["taskManager"]["replicas"]
    assert int(told["parallelism.default"]) == slots


def test_what_flink_writes_goes_to_a_volume_that_is_mounted() -> None:
    pod = FLINK["podTemplate"]["spec"]
    mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    volume = mounts[FLINK["flinkConfiguration"]["io.tmp.dirs"]]
    assert "emptyDir" in next(one for one in pod["volumes"] if one["name"] == volume)


@pytest.mark.parametrize("pod", [FLINK["podTemplate"]["spec"], JOB_SERVER], ids=["flink", "job server"])
def test_no_pod_runs_as_root_or_may_become_it(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    for container in pod["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_job_server_finds_flink_and_names_itself_to_clients() -> None:
    options = dict(argument.removeprefix("--").split("=") for argument in JOB_SERVER["containers"][0]["args"])
    assert options["flink-master"] == "flink-rest:8081"  # the operator's service is called NAME-rest
    assert ("Service", options["job-host"]) in MANIFESTS
    ports = {int(options["job-port"]), int(options["artifact-port"])}
    assert {one["containerPort"] for one in JOB_SERVER["containers"][0]["ports"]} == ports
    assert {one["port"] for one in MANIFESTS["Service", options["job-host"]]["spec"]["ports"]} == ports


def test_nothing_is_reached_from_outside_the_namespace_but_by_the_operator() -> None:
    services = [one for (kind, _), one in MANIFESTS.items() if kind == "Service"]
    assert [one["spec"]["type"] for one in services] == ["ClusterIP"]
    assert not {"Ingress", "Gateway"} & {kind for kind, _ in MANIFESTS}
    assert "ingress" not in FLINK
    policies = {name: one["spec"] for (kind, name), one in MANIFESTS.items() if kind == "NetworkPolicy"}
    assert {name: one["podSelector"]["matchLabels"]["app"] for name, one in policies.items()} == {
        "beam-job-server": "beam-job-server",
        "flink": "flink",  # the operator labels the pods with the cluster's name
    }
    for one in policies.values():
        assert one["policyTypes"] == ["Ingress"]
        for rule in one["ingress"]:
            for source in rule["from"]:
                operator = {"app.kubernetes.io/name": "flink-kubernetes-operator"}
                outside = "namespaceSelector" in source
                assert not outside or source["podSelector"]["matchLabels"] == operator
                assert not outside or rule["ports"] == [{"port": 8081}]


@pytest.mark.images
def test_the_operator_knows_every_key(tmp_path: Path) -> None:
    """Its resource definition, from the jar of the operator's API; Maven fetches it."""
    if shutil.which("mvn") is None:
        pytest.skip("the definition of a FlinkDeployment comes with Maven, and there is no `mvn` on PATH")
    fetch = ["mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={OPERATOR}"]
    subprocess.run([*fetch, f"-DoutputDirectory={tmp_path}"], check=True, cwd=tmp_path)
    with zipfile.ZipFile(next(tmp_path.glob("*.jar"))) as jar:
        definition = yaml.safe_load(jar.read(DEFINITION))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    jsonschema.validate(FLINK, _strict(schema))
    with pytest.raises(jsonschema.ValidationError, match="taskManagers"):
        jsonschema.validate(FLINK | {"taskManagers": {}}, _strict(schema))


def _strict(schema: Any) -> Any:
    """Refuse keys that the definition does not name: an API server drops them without a word."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if "properties" in schema:
        strict.setdefault("additionalProperties", schema.get("x-kubernetes-preserve-unknown-fields", False))
    return strict
