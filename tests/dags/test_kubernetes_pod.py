"""Tasks as pods, by the real provider and the real client, on a stand-in for a cluster."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml

from tests.dags.conftest import DAGS, Attempt, Heard, Program, task_of
from tests.dags.kubernetes_api import Cluster
from tests.waiting import until

INFRA = DAGS.parent / "infra" / "kubernetes"
WORKER = """
import sys
from pathlib import Path
from tests.dags.conftest import Program, task_of
task, context = task_of(Program(Path(sys.argv[1])), "kubernetes")
task.execute(context)
"""


def failure_of(program: Program, **options: Any) -> str:
    """Return what an attempt that fails says."""
    from airflow.sdk.exceptions import AirflowException

    task, context = task_of(program, "kubernetes", **options)
    with pytest.raises(AirflowException) as raised:
        task.execute(context)
    return f"{type(raised.value).__name__}: {raised.value}"


def test_the_variables_and_the_template_make_the_pod(
    program: Program, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_POD_TEMPLATE", str(INFRA / "pod.yaml"))
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_GPU_POD_TEMPLATE", str(INFRA / "gpu-pod.yaml"))
    config = yaml.safe_load((INFRA / "config.yaml").read_text())
    cluster.config_maps[config["metadata"]["name"]] = config["data"]
    for pool in ("default_pool", "visual_search_gpu"):
        task, context = task_of(program, "kubernetes", pool=pool)
        task.config = "/etc/visual-search/shop.toml"
        task.execute(context)
    for pod, name in zip(cluster.made, ("pod.yaml", "gpu-pod.yaml"), strict=True):
        wanted, spec = yaml.safe_load((INFRA / name).read_text())["spec"], pod.manifest["spec"]
        (container,) = spec["containers"]
        assert pod.name.startswith("visual-search-embed-")
        assert pod.manifest["metadata"]["namespace"] == "shop"
        assert (container["image"], spec["serviceAccountName"]) == ("registry.example/visual-search:1", "pipeline")
        assert container["command"][2:] == ["embed", "--config", "/etc/visual-search/shop.toml"]
        assert {one["name"]: one["value"] for one in container["env"]} == {
            "VISUAL_SEARCH_LOG_FORMAT": "json",
            "VISUAL_SEARCH_ON_SIGTERM": "leave",
            "HOME": "/tmp",
        }
        assert container["resources"] == wanted["containers"][0]["resources"]
        assert container["volumeMounts"] == wanted["containers"][0]["volumeMounts"]
        for key in set(wanted) - {"containers"}:
            assert spec[key] == wanted[key]
        assert spec["restartPolicy"] == "Never"
    assert cluster.made[1].container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert cluster.pods == {}  # each was deleted when it had ended
    for asked in program.asked:  # the file is there, where the pod has it mounted
        assert Path(asked[2]).read_text() == config["data"]["shop.toml"]


def test_the_last_attempt_ends_its_jobs_when_its_pod_is_ended(program: Program, cluster: Cluster) -> None:
    task, context = task_of(program, "kubernetes", try_number=2)
    task.execute(context)
    (pod,) = cluster.made
    assert {"name": "VISUAL_SEARCH_ON_SIGTERM", "value": "cancel"} in pod.container["env"]


def test_airflow_is_allowed_what_it_does_and_no_more(program: Program, cluster: Cluster) -> None:
    cluster.starts_after_s = 1  # events are read while a pod waits
    task, context = task_of(program, "kubernetes")
    task.execute(context)
    program.ends(embed=("no space left", 1))
    failure_of(program)
    verbs = {"POST": "create", "DELETE": "delete", "PATCH": "patch"}
    asked = set()
    for method, path in (line.split() for line in cluster.asked):
        _, kind, *more = path.removeprefix("/api/v1/namespaces/").split("/")
        resource = "/".join([kind, *more[1:]])
        asked.add((resource, verbs.get(method) or ("get" if more else "list")))
    (role,) = [one for one in yaml.safe_load_all((INFRA / "access.yaml").read_text()) if one["kind"] == "Role"]
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert asked == allowed


def test_a_worker_that_dies_leaves_the_pod_to_the_next_attempt(
    program: Program, cluster: Cluster, tmp_path: Path
) -> None:
    go_on = program.waits()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], cwd=DAGS.parent)
    until(lambda: program.asked != [] and cluster.followed == 1, 120)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    (pod,) = cluster.made
    assert pod.manifest["status"]["phase"] == "Running"
    task, context = task_of(program, "kubernetes", try_number=2)
    task._cached_logger = heard = Heard()
    attempt = Attempt(task, context)
    until(lambda: cluster.followed == 2)
    go_on()
    attempt.join()
    assert attempt.returned["counts"] == {"in": 3}
    assert (logging.WARNING, "mind the gap") in heard.lines  # which it said to the first worker
    assert len(cluster.made) == len(program.asked) == 1


def test_a_pod_is_ended_whose_task_is_killed_before_it_hears_that_there_is_one(
    program: Program, cluster: Cluster
) -> None:
    cluster.answers_after_s = 2
    program.script.write_text("import time\ntime.sleep(600)\n")
    task, context = task_of(program, "kubernetes")
    attempt = Attempt(task, context)
    until(lambda: bool(cluster.made) and cluster.made[0].process is not None)
    task.on_kill()
    until(lambda: cluster.made[0].process.poll() is not None)
    attempt.join()
    assert "AirflowException" in repr(attempt.raised)
    assert len(cluster.made) == 1


def test_a_pod_that_is_made_after_its_task_was_killed_is_ended(program: Program, cluster: Cluster) -> None:
    program.script.write_text("import time\ntime.sleep(600)\n")
    task, context = task_of(program, "kubernetes")
    make = cluster.make

    def killed_first(namespace: str, manifest: dict[str, Any]) -> dict[str, Any]:
        task.on_kill()
        return make(namespace, manifest)

    cluster.make = killed_first
    attempt = Attempt(task, context)
    attempt.join()
    assert "AirflowException" in repr(attempt.raised)
    until(lambda: cluster.made[0].process is None or cluster.made[0].process.poll() is not None)


def test_a_pod_that_is_being_deleted_is_waited_for(
    program: Program, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kubernetes_pod

    monkeypatch.setattr(kubernetes_pod, "LOOK_AGAIN_S", 0.1)
    script = program.script.read_text()
    program.script.write_text("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n")
    task, context = task_of(program, "kubernetes")
    first = Attempt(task, context)
    until(lambda: bool(cluster.made) and cluster.made[0].process is not None)
    time.sleep(1)  # for it to hear nothing of SIGTERM
    cluster.made[0].delete(3)
    program.script.write_text(script)
    task, context = task_of(program, "kubernetes", try_number=2)
    assert task.execute(context)["stage"] == "embed"
    first.join()
    old, new = (pod.manifest["metadata"] for pod in cluster.made)
    assert (
        new["creationTimestamp"]
        > cluster.made[0].manifest["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    )
    assert old["deletionGracePeriodSeconds"] == 3


@pytest.mark.parametrize("at_end", [False, True], ids=["while it is at work", "when it ends"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_log_that_breaks_loses_nothing_that_counts(
    program: Program, cluster: Cluster, number: int, at_end: bool
) -> None:
    cluster.breaks_log_after, cluster.breaks_log_at_end = number, at_end
    program.ends(embed=("recall is .8, the floor .9", 3))
    assert failure_of(program) == "AirflowSkipException: recall is .8, the floor .9"
    cluster.breaks_log_after = number
    program.ends()
    task, context = task_of(program, "kubernetes")
    assert task.execute(context)["counts"] == {"in": 3}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda pod: pod.evict(), r"has no exit code: Evicted: The node was low on resource: memory\."),
        (lambda pod: pod.delete(0), r"has no exit code: \(404\).*|exit code 137: .*"),
    ],
    ids=["evicted", "deleted"],
)
def test_what_ends_a_pod_from_outside_is_told(program: Program, cluster: Cluster, end: Any, reason: str) -> None:
    program.waits()
    task, context = task_of(program, "kubernetes")
    attempt = Attempt(task, context)
    until(lambda: program.asked != [] and cluster.followed == 1)
    end(cluster.made[0])
    attempt.join()
    told = re.sub(r"^pod visual-search-embed-\w+ ", "", str(attempt.raised))
    assert re.fullmatch(reason, told, re.DOTALL), told


def test_a_pod_that_takes_too_much_memory_is_told(program: Program, cluster: Cluster) -> None:
    cluster.ends_as = "OOMKilled"
    program.script.write_text("import os; os.kill(os.getpid(), 9)")
    told = failure_of(program)
    assert re.fullmatch(r"AirflowException: exit code 137: pod visual-search-embed-\w+ was ended: OOMKilled", told)


def test_a_pod_may_wait_for_its_node(program: Program, cluster: Cluster) -> None:
    cluster.starts_after_s = 2
    task, context = task_of(program, "kubernetes")
    assert task.execute(context)["stage"] == "embed"


def test_a_pod_that_does_not_start_is_told(program: Program, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_IMAGE", "registry.example/visual-search:none")
    told = failure_of(program)
    assert "has no exit code: Image cannot be pulled, unable to start: ErrImagePull" in told
    assert "registry.example/visual-search:none: not found" in told
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_IMAGE", "registry.example/visual-search:1")
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_POD_START_S", "1")
    cluster.starts_after_s = 600
    assert "Pod took too long to start. More than 1s" in failure_of(program)
    assert cluster.pods == {}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("IMAGE", None, "the variable visual_search_image is not set; pods need the image of the pipeline"),
        ("POD_START_S", "soon", "the variable visual_search_pod_start_s is 'soon'; set whole seconds"),
        ("POD_TEMPLATE", "/none.yaml", "the pod template cannot be read on this worker: [Errno 2] No such file"),
        ("POD_TEMPLATE", "a: [", "the pod template cannot be read on this worker: while parsing a flow node"),
        ("POD_TEMPLATE", "kind: Job", "is no pod's manifest; it must be one, with `kind: Pod`"),
        (
            "POD_TEMPLATE",
            "{kind: Pod, spec: {nodeSelectors: {a: b}, containers: [{name: base, resource: {}}]}}",
            "has keys that no pod has: spec.nodeSelectors, spec.containers[0].resource; correct them",
        ),
    ],
)
def test_a_wrong_setting_is_not_tried_again(
    program: Program,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str | None,
    text: str,
) -> None:
    if name == "POD_TEMPLATE" and value != "/none.yaml":
        (tmp_path / "pod.yaml").write_text(str(value))
        value = str(tmp_path / "pod.yaml")
    if value is None:
        monkeypatch.delenv(f"AIRFLOW_VAR_VISUAL_SEARCH_{name}")
    else:
        monkeypatch.setenv(f"AIRFLOW_VAR_VISUAL_SEARCH_{name}", value)
    told = failure_of(program)
    assert told.startswith("AirflowFailException: ")
    assert text in told
    assert cluster.asked == []


def test_without_the_provider_the_error_names_it(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "kubernetes_pod", raising=False)
    monkeypatch.setitem(sys.modules, "airflow.providers.cncf.kubernetes.operators.pod", None)
    told = failure_of(program)
    assert told.startswith("AirflowFailException: ")
    assert told.endswith("install apache-airflow-providers-cncf-kubernetes")


@pytest.mark.skipif(which("kubectl") is None, reason="there is no kubectl on this machine")
def test_kubectl_finds_in_the_stand_in_what_it_finds_in_a_cluster(
    program: Program, cluster: Cluster, tmp_path: Path
) -> None:
    def kubectl(*arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(cluster.kubeconfig)}
        done = subprocess.run(
            ["kubectl", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    cluster.needs_token = False  # kubectl gives none to a server without TLS
    program.waits()
    task, context = task_of(program, "kubernetes")
    attempt = Attempt(task, context)
    until(lambda: program.asked != [])
    (pod,) = cluster.made
    selector = "app.kubernetes.io/name=visual-search,dag_id=visual_search_daily,task_id=embed"
    assert kubectl("get", "pods", "-o", "name", "-l", selector) == f"pod/{pod.name}\n"
    assert kubectl("get", "pods", "-o", "name", "-l", "task_id!=embed") == ""
    until(lambda: "a line before the last" in kubectl("logs", pod.name))
    kubectl("delete", "pod", pod.name, "--wait=false")
    attempt.join()
    assert "AirflowException" in repr(attempt.raised)
    assert kubectl("get", "pods", "-o", "name") == ""
