"""The TFX pipeline of the train stage on Vertex AI: compiled, submitted, waited for, and its results fetched.

It is the pipeline that runs on this machine too, with another root: its components read and write `gs://` URIs in
containers of the project's image. What it leaves is laid in the local work folder as a local run would have left it.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.jobs.remote import JobStatus, RemoteJob
from pipelines.runs import termination
from pipelines.store.bucket import BucketStore
from pipelines.store.gcs import split
from pipelines.train.vertex_job import VERTEX_JSON, Job, Vertex, VertexJob, output_uri
from trainer.config import TrainOutcome, TrainSpec

FETCHED: Final = ("tfx", "pushed", "model.json", "weights.npz")  # of `spec.work`, made anew
SERVING: Final = "Format-Serving"


def run_on_vertex(spec: TrainSpec, say: Callable[[str], None] = lambda _: None) -> TrainOutcome:
    """Train on Vertex AI, or attach to the job that does; `spec.work` says in `vertex.json` which.

    Paths of `spec` are local but for `examples`. Raises StageError with the failed step's message and the job's page.
    A KeyboardInterrupt cancels the job.
    """
    job = VertexJob.load(Path(spec.work, VERTEX_JSON))
    vertex = Vertex(job.section)

    def submit(before: JobStatus | None) -> str:
        number = job.number(before.job_id) + 1 if before else 1
        _prepare(spec, job, number)
        vertex.create(job.attempt(number), compile_job(spec, job, number))
        return job.attempt(number)

    done = RemoteJob(vertex, job.name, once=True, say=say).run(submit)
    _fetch(spec, job, job.number(done.job_id), vertex.found(done.job_id))
    from pipelines.train.tfx_pipeline import outcome_of

    return outcome_of(spec, Path(spec.work))


def remote_spec(spec: TrainSpec, job: VertexJob, number: int) -> TrainSpec:
    """Return the specification that an attempt's steps read: everything in the job's folder, and the examples."""
    work = f"{job.folder}/{number}"
    return replace(
        spec,
        work=work,
        taxonomy=f"{work}/taxonomy.json",
        checkpoints=f"{job.folder}/checkpoints",
        parent=f"{work}/parent" if spec.parent else None,
        weights=f"{work}/{Path(spec.weights).name}" if spec.weights else None,
        baseline=f"{work}/live" if spec.baseline else None,
    )


def compile_job(spec: TrainSpec, job: VertexJob, number: int) -> Job:
    """Return the body of an attempt's PipelineJob; equal arguments give an equal one."""
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

    from pipelines.train.tfx_pipeline import build_pipeline

    section = job.section
    resources = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec(
        cpu_limit=section.cpus, memory_limit=section.memory_gb
    )
    if section.accelerator:
        resources.accelerator.type, resources.accelerator.count = section.accelerator, section.accelerators
    told = replace(remote_spec(spec, job, number), taxonomy=spec.taxonomy)
    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        display_name=job.attempt(number), default_image=section.image, use_pipeline_spec_2_1=True
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(config)
    compiled: Job = runner.run(build_pipeline(told, trainer_resources=resources), write_out=False)
    return {**compiled, "serviceAccount": section.service_account}


def _prepare(spec: TrainSpec, job: VertexJob, number: int) -> None:
    """Put what an attempt reads into its folder."""
    from pipelines.train.tfx_pipeline import write_inputs

    inputs = Path(spec.work, "inputs")
    shutil.rmtree(inputs, ignore_errors=True)
    inputs.mkdir()
    write_inputs(spec, remote_spec(spec, job, number), inputs)
    shutil.copyfile(spec.taxonomy, inputs / "taxonomy.json")
    store = BucketStore(job.folder)
    for path in inputs.iterdir():
        store.put(f"{number}/{path.name}", path.read_bytes())
    if spec.parent:
        store.create_from(f"{number}/parent/weights.npz", Path(spec.parent, "weights.npz"))
    if spec.weights:
        store.create_from(f"{number}/{Path(spec.weights).name}", Path(spec.weights))
    if spec.baseline:
        store.stage_out(Path(spec.baseline, "saved_model"), f"{number}/live/{SERVING}")


def _fetch(spec: TrainSpec, job: VertexJob, number: int, done: Job) -> None:
    """Lay what the job left into `spec.work` and `spec.checkpoints`, as a run on this machine leaves it."""
    work = Path(spec.work)
    for name in FETCHED:
        path = work / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    store = BucketStore(job.folder)
    for name in ("model.json", "weights.npz"):
        _download(f"{job.folder}/{number}/{name}", work / name)
    if store.exists("checkpoints/curves.jsonl"):
        _download(f"{job.folder}/checkpoints/curves.jsonl", Path(spec.checkpoints, "curves.jsonl"))
    _download(output_uri(done, "Evaluator", "evaluation"), work / "tfx/Evaluator/evaluation/1")
    _download(output_uri(done, "Trainer", "model_run"), work / "tfx/Trainer/model_run/1")
    pushed = store.folders(f"{number}/pushed")
    for name in pushed:
        _download(f"{job.folder}/{number}/pushed/{name}", work / "pushed" / name)
    if not pushed:
        model = f"{output_uri(done, 'Trainer', 'model')}/{SERVING}"
        _download(model, work / "tfx/Trainer/model/1" / SERVING)


def _download(uri: str, target: Path) -> None:
    """Download an object or a whole folder of them."""
    bucket, name = split(uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    with BucketStore(f"gs://{bucket}").stage_in(name.rstrip("/")) as staged:
        shutil.move(staged, target)


if __name__ == "__main__":
    from pipelines.train.launch import child_main

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it here too, but what it ends the parent decides
    termination.listen(termination.CANCEL)
    sys.exit(child_main(sys.argv[1:], run_on_vertex))
