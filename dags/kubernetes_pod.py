"""The command runs in a pod of its own, by Airflow's provider for Kubernetes: `visual_search_launcher` is `kubernetes`.

Which cluster is the Airflow connection `kubernetes_default`; without one it is the cluster that Airflow itself runs in,
or the current context of `KUBECONFIG`. The rest are Airflow variables, read when a task runs:

| variable | default | |
|---|---|---|
| `visual_search_image` | none | the image that holds `visual_search_command` |
| `visual_search_namespace` | the template's, the connection's, Airflow's own | where pods are made |
| `visual_search_service_account` | the template's | whom a pod is, and so what it may read and write |
| `visual_search_pod_template` | none | a pod's manifest on the worker: volumes, nodes, secrets, resources |
| `visual_search_gpu_pod_template` | the same | that of tasks in the pool `visual_search_gpu` |
| `visual_search_pod_start_s` | 1200 | seconds that a pod may wait for a node, and then for its image |

The template's first container is the command's. What a pod says is read from its log, whole lines of both streams
in one, and the exit code from its container's status. A file for XCom's sidecar would ask for a second image and the
right to `exec`, keep the node until Airflow has read it, and still not carry a gate's reason. When the command has
ended, the end of the log is read once more, since a connection that breaks then would take the result with it.

A worker that dies leaves the pod at work: the next attempt finds it, by the identity that Airflow keeps or by its
labels (DAG, run, task), and reads its log from the start. If the pod has ended meanwhile, another one calls the same
command, and a stage finds its work done. A pod that is being deleted is waited for, so that no two are at work. A task
that is killed deletes its pod: the command gets SIGTERM, and SIGKILL after the pod's `terminationGracePeriodSeconds`
(30 unless the template says otherwise). It then ends its jobs on a cluster if this was the last attempt, and leaves
them to the next one if not: a job of a task that a person ends before its last attempt runs on to its end, or is
cancelled on its own page. A pod is deleted when its command has ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager
from airflow.sdk import Context, Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import ApiClient, CoreV1Api, V1ContainerStateTerminated, V1Pod
from kubernetes.client.exceptions import ApiException
from transcript import Transcript
from urllib3.exceptions import HTTPError

LABELS = {"app.kubernetes.io/name": "visual-search"}
TAIL_LINES = 1000
LOOK_AGAIN_S = 5


class KubernetesPod:
    """A command in a pod."""

    def __init__(self, context: Context, *, stage: str, on_gpu: bool) -> None:
        self._context = context
        self._options: dict[str, Any] = {
            "task_id": context["ti"].task_id,
            "name": f"visual-search-{stage.replace(' ', '-')}",
            "image": _image(),
            "namespace": Variable.get("visual_search_namespace", default=None),
            "service_account_name": Variable.get("visual_search_service_account", default=None),
            "pod_template_file": _template(on_gpu=on_gpu),
            "startup_timeout_seconds": _start_s(),
        }
        self._operator: _PodOperator | None = None

    def run(self, command: Sequence[str], transcript: Transcript) -> int:
        """Run a command in a pod to its end; return its exit code. Raises AirflowException where it has none."""
        operator = self._operator = _PodOperator(
            **self._options,
            cmds=[
                word.replace("$", "$$") for word in command
            ],  # Kubernetes would put variables in the place of $(NAME)
            env_vars={"VISUAL_SEARCH_LOG_FORMAT": "json", "VISUAL_SEARCH_ON_SIGTERM": _on_sigterm(self._context)},
            labels=LABELS,
            callbacks=[_Ears(transcript)],  # type: ignore[list-item]
            log_pod_spec_on_failure=False,
        )
        failure: Exception | None = None
        try:
            operator.execute_sync(self._context)
        except (AirflowException, ApiException, HTTPError) as error:
            failure = error
        if operator.pod is None:
            raise AirflowException(f"no pod could be made: {failure}") from failure
        name, ended = f"pod {operator.pod.metadata.name}", _ended(operator)
        if ended is None:
            raise AirflowException(f"{name} has no exit code: {_why(operator, failure)}") from failure
        if ended.exit_code and ended.reason not in {None, "Error"}:  # such as OOMKilled
            transcript.note(logging.ERROR, f"{name} was ended: {ended.reason}")
        return int(ended.exit_code)

    def kill(self) -> None:
        """Delete the pod."""
        if self._operator is not None:
            self._operator.on_kill()


class _PodOperator(KubernetesPodOperator):
    """Says nothing of the log, makes no pod beside one that is on its way out, and leaves none when it is killed."""

    @cached_property
    def pod_manager(self) -> PodManager:
        return _PodManager(kube_client=self.client, callbacks=self.callbacks)

    def get_or_create_pod(self, pod_request_obj: V1Pod, context: Context) -> V1Pod:
        until = time.monotonic() + self.startup_timeout_seconds
        while (pod := self.find_pod(pod_request_obj.metadata.namespace, context)) and pod.metadata.deletion_timestamp:
            if time.monotonic() > until:
                raise AirflowException(f"pod {pod.metadata.name} is being deleted and does not end; look at its node")
            self.log.info("pod %s of an earlier attempt is being deleted; waiting for its end", pod.metadata.name)
            time.sleep(LOOK_AGAIN_S)
        self.pod = pod or pod_request_obj  # what `on_kill` deletes: it may run before the cluster's answer comes
        try:
            self.pod = super().get_or_create_pod(pod_request_obj, context)
        except BaseException:
            self.pod = None
            raise
        if self._killed:  # and it was not there yet
            self.on_kill()
        return self.pod


class _PodManager(PodManager):
    """Leaves the lines of the log to the callbacks, which know their levels."""

    def _log_message(self, *_: Any, **__: Any) -> None:
        pass


class _Ears(KubernetesPodOperatorCallback):
    """Hands the lines of a pod's log to a transcript as they come, and its end once more when the command has ended.

    The provider asks for a class of static methods, and calls whatever it is given as it would call those.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript

    def progress_callback(self, *, line: str, **_: Any) -> None:  # type: ignore[override]
        for part in line.splitlines():
            self._transcript.take(part)

    def on_pod_completion(  # type: ignore[override]
        self, *, pod: V1Pod | None, client: CoreV1Api, **_: Any
    ) -> None:
        if pod is None:
            return
        name, container = pod.metadata.name, KubernetesPodOperator.BASE_CONTAINER_NAME
        try:
            log = client.read_namespaced_pod_log(
                name, pod.metadata.namespace, container=container, tail_lines=TAIL_LINES, _preload_content=False
            )
            lines = log.data.decode("utf-8", errors="backslashreplace").splitlines()
        except (ApiException, HTTPError) as error:  # what was heard before has to do
            logging.getLogger(__name__).warning("the end of the log of pod %s cannot be read again: %s", name, error)
            return
        for line in lines:
            self._transcript.take(line, again=True)


def _image() -> str:
    image = Variable.get("visual_search_image", default=None)
    if not image:
        raise AirflowFailException("the variable visual_search_image is not set; pods need the image of the pipeline")
    return str(image)


def _on_sigterm(context: Context) -> str:
    """Return what a command does with its jobs on a cluster when its pod is ended, by a node that is drained, say."""
    task = context["ti"]
    return "leave" if task.try_number <= task.max_tries else "cancel"


def _start_s() -> int:
    given = Variable.get("visual_search_pod_start_s", default="1200")
    try:
        return int(given)
    except ValueError as error:
        raise AirflowFailException(f"the variable visual_search_pod_start_s is {given!r}; set whole seconds") from error


def _template(*, on_gpu: bool) -> str | None:
    """Return the file of the pod template, after a look at it: the provider drops what it does not know."""
    path = Variable.get("visual_search_gpu_pod_template", default=None) if on_gpu else None
    path = path or Variable.get("visual_search_pod_template", default=None)
    if not path:
        return None
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise AirflowFailException(f"the pod template cannot be read on this worker: {error}") from error
    if not isinstance(given, dict) or given.get("kind") != "Pod":
        raise AirflowFailException(f"{path} is no pod's manifest; it must be one, with `kind: Pod`")
    kept = ApiClient().sanitize_for_serialization(PodGenerator.deserialize_model_dict(given))
    lost = list(_lost(given, kept))
    if lost:
        raise AirflowFailException(f"{path} has keys that no pod has: {', '.join(lost)}; correct them")
    return str(path)


def _lost(given: Any, kept: Any, where: str = "") -> Iterator[str]:
    """Yield the keys that are not there any more."""
    pairs: list[tuple[Any, str]] = []
    if isinstance(given, dict):
        pairs = [(key, f"{where}.{key}".lstrip(".")) for key in given if given[key] is not None]
    elif isinstance(given, list):
        pairs = [(number, f"{where}[{number}]") for number in range(len(given))]
    for key, name in pairs:
        try:
            there = kept[key]
        except (KeyError, IndexError, TypeError):
            yield name
            continue
        yield from _lost(given[key], there, name)


def _ended(operator: KubernetesPodOperator) -> V1ContainerStateTerminated | None:
    """Return how the command's container ended, None where that is not known."""
    status = operator.remote_pod.status if operator.remote_pod else None
    for container in (status and status.container_statuses) or []:
        if container.name == operator.base_container_name:
            return container.state.terminated
    return None


def _why(operator: KubernetesPodOperator, failure: Exception | None) -> str:
    """Return why a pod has no exit code, as its status has it (an eviction, say), or as Kubernetes answered."""
    status = operator.remote_pod.status if operator.remote_pod else None
    told = ": ".join(filter(None, (status.reason, status.message))) if status else ""
    first = failure and (failure.__context__ or failure)  # the provider fails once more when it cleans up
    return told or str(first or "it was deleted")
