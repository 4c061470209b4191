"""The files in infra/kubernetes/ are what the pipeline reads."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from pipelines.config import load_config

ROOT = Path(__file__).parent.parent


def test_the_example_of_a_config_map_holds_an_environment(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "infra/kubernetes/config.yaml").read_text())
    ((name, text),) = manifest["data"].items()
    (tmp_path / name).write_text(text)
    config = load_config(str(tmp_path / name))
    assert config.store.uri == "gs://my-bucket/visual-search/store"
    template = yaml.safe_load((ROOT / "infra/kubernetes/pod.yaml").read_text())
    assert template["spec"]["volumes"][0]["configMap"]["name"] == manifest["metadata"]["name"]


@pytest.mark.parametrize("name", ["pod.yaml", "gpu-pod.yaml"])
def test_a_pod_that_decodes_photos_can_do_no_harm(name: str) -> None:
    pod = yaml.safe_load((ROOT / "infra/kubernetes" / name).read_text())
    (container,) = pod["spec"]["containers"]
    image = {"image": "registry.example/visual-search:1"}  # Airflow puts it in
    kubernetes_validate.validate(pod | {"spec": pod["spec"] | {"containers": [container | image]}}, "1.31", strict=True)
    assert pod["spec"]["automountServiceAccountToken"] is False
    security = pod["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    user = f"useradd --uid {security['runAsUser']} --gid search"
    assert user in (ROOT / "infra/images/Dockerfile").read_text()
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert written == ["/tmp"]
    assert {"name": "HOME", "value": "/tmp"} in container["env"]


def test_no_account_reads_the_secrets_of_a_whole_cluster() -> None:
    terraform = "".join(path.read_text() for path in (ROOT / "infra/terraform").glob("*.tf"))
    assert "roles/container.developer" not in terraform
    assert "roles/container.admin" not in terraform
    rules = [
        rule
        for one in yaml.safe_load_all((ROOT / "infra/kubernetes/access.yaml").read_text())
        for rule in one.get("rules", [])
    ]
    assert rules
    assert [rule for rule in rules if "secrets" in rule["resources"] or "*" in rule["resources"]] == []
