"""What Vertex AI does with a compiled pipeline, in one process: its containers' own command, step after step.

    python -m tests.gcs.containers JOB.json DETAILS.json

Each step is given what the service would give it, and what it says is given to those after it. DETAILS.json is the
`taskDetails` of the job, written after every step.
"""

from __future__ import annotations

import json
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as entry

COMMAND = ["python", "-m", entry.__name__]
Artifacts = dict[str, dict[str, Any]]


class Containers:
    """The steps of one job that have run, and what each of them put out."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.spec = job["pipelineSpec"]
        self.root = f"{job['runtimeConfig']['gcsOutputDirectory']}/1234/{job['name'].rpartition('/')[2]}"
        self.outputs: dict[str, Artifacts] = {}

    def order(self) -> list[str]:
        tasks = self.spec["root"]["dag"]["tasks"]
        return list(
            TopologicalSorter({name: task.get("dependentTasks", []) for name, task in tasks.items()}).static_order()
        )

    def run(self, name: str) -> None:
        """Run one step. Raises what the step raises."""
        task = self.spec["root"]["dag"]["tasks"][name]
        component = self.spec["components"][task["componentRef"]["name"]]
        executor = self.spec["deploymentSpec"]["executors"][component["executorLabel"]]
        put_out = component.get("outputDefinitions", {}).get("artifacts", {})
        if "importer" in executor:
            importer = executor["importer"]
            (key,) = put_out
            uri = importer["artifactUri"]["constant"]
            self.outputs[name] = {key: artifact(f"{name}.{key}", importer["typeSchema"], uri, importer.get("metadata"))}
            return
        folder = f"{self.root}/{name}_1"
        outputs = {
            key: artifact(f"{name}.{key}", each["artifactType"], f"{folder}/{key}", each.get("metadata"))
            for key, each in put_out.items()
        }
        given = {
            "inputs": {"artifacts": as_lists(self._inputs(task)), "parameterValues": parameters(task)},
            "outputs": {"artifacts": as_lists(outputs), "outputFile": f"{folder}/executor_output.json"},
        }
        container = executor["container"]
        if container["command"] != COMMAND:
            raise ValueError(f"{name} is started by {container['command']}")
        args = [json.dumps(given) if argument == "{{$}}" else argument for argument in container["args"]]
        entry.main(entry._parse_flags([entry.__file__, *args]))
        with tf.io.gfile.GFile(f"{folder}/executor_output.json") as file:
            said = json.loads(file.read())["artifacts"] if outputs else {}
        for key, each in said.items():
            outputs[key] |= {"metadata": each["artifacts"][0].get("metadata", {})}
        self.outputs[name] = outputs

    def _inputs(self, task: dict[str, Any]) -> Artifacts:
        wanted = task.get("inputs", {}).get("artifacts", {})
        sources = {name: each["taskOutputArtifact"] for name, each in wanted.items()}
        return {name: self.outputs[each["producerTask"]][each["outputArtifactKey"]] for name, each in sources.items()}


def artifact(name: str, schema: dict[str, Any], uri: str, metadata: dict[str, Any] | None) -> dict[str, Any]:
    return {"name": f"projects/1/{name}", "type": schema, "uri": uri, "metadata": metadata or {}}


def as_lists(artifacts: Artifacts) -> dict[str, Any]:
    return {key: {"artifacts": [each]} for key, each in artifacts.items()}


def parameters(task: dict[str, Any]) -> dict[str, Any]:
    found = task.get("inputs", {}).get("parameters", {})
    return {key: each["runtimeValue"]["constant"] for key, each in found.items()}


def main() -> int:
    containers, details = Containers(json.loads(Path(sys.argv[1]).read_text())), []
    for name in containers.order():
        detail: dict[str, Any] = {"taskName": name, "state": "SUCCEEDED"}
        try:
            containers.run(name)
            uris = {key: [{"uri": each["uri"]}] for key, each in containers.outputs[name].items()}
            detail["outputs"] = {key: {"artifacts": each} for key, each in uris.items()}
        except Exception as error:  # noqa: BLE001 - whatever it is, the step has failed
            detail |= {"state": "FAILED", "error": {"code": 9, "message": f"{type(error).__name__}: {error}"[:1000]}}
        Path(sys.argv[2]).write_text(json.dumps([*details, detail]))
        if detail["state"] == "FAILED":
            return 1
        details.append(detail)
    return 0


if __name__ == "__main__":
    sys.exit(main())
