"""The TFX pipeline of the train stage, and its run on this machine: examples in, a blessed or refused model out.

Examples and live model are imported, so nothing is shuffled that is there already; the metadata store is thrown away
with the work folder. It knows no store and no config: a TrainSpec says everything.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.errors import StageError
from pipelines.train.schema import statistics_features, write_schema
from trainer.config import TrainOutcome, TrainSpec

MODULE = "trainer.tfx_module.module"
BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    # Nothing reads it, for no other machine works for this runner; without it each component packs TFX for one.
    "--sdk_container_image=unused",
]
OURS = ("tfx", "pushed", "live", "metadata.sqlite", "schema.pbtxt", "tfx_spec.json")  # of `spec.work`, made anew


def run_tfx(spec: TrainSpec, say: Callable[[str], None] = lambda _: None) -> TrainOutcome:
    """Train, evaluate against the live model, and push when blessed; `say` hears which node runs.

    A model that a gate refuses is an outcome (`refused` says why), and is not pushed. Raises StageError, with the
    name of the node, when a node fails.
    """
    from tfx import v1 as tfx

    work = Path(spec.work).resolve()
    examples = Path(spec.examples).absolute()  # not where a link leads: that may have a name that is a pattern
    spec = replace(spec, work=str(work), examples=str(examples))
    _prepare(spec, work)
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(work / "metadata.sqlite"))
    nodes = _Nodes(say)
    with nodes.watch():
        tfx.orchestration.LocalDagRunner().run(build_pipeline(spec, metadata=metadata))
    say(nodes.summary())
    return outcome_of(spec, work)


def _prepare(spec: TrainSpec, work: Path) -> None:
    for split in ("train", "eval"):
        folder = Path(spec.examples, f"Split-{split}")
        if not folder.is_dir() or not any(folder.iterdir()):
            raise StageError(f"no {split} examples in {folder}; both splits need photos with a category")
    for name in OURS:
        path = work / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    write_inputs(spec, spec, work)
    if spec.baseline:
        _link_live(Path(spec.baseline, "saved_model"), work / "live")


def write_inputs(spec: TrainSpec, told: TrainSpec, folder: Path) -> None:
    """Write what the components read of `work`: the specification as they are `told` it, and the schema."""
    told.save(folder / "tfx_spec.json")
    write_schema(folder / "schema.pbtxt", spec.slots())


def _link_live(saved_model: Path, folder: Path) -> None:
    """Make a folder in the shape of a TFX Model artifact around the live model."""
    if not (saved_model / "saved_model.pb").is_file():
        raise StageError(f"the live model has no {saved_model / 'saved_model.pb'}; fetch it whole, or train without it")
    folder.mkdir()
    (folder / "Format-Serving").symlink_to(saved_model.resolve(), target_is_directory=True)


def build_pipeline(spec: TrainSpec, *, metadata: Any = None, trainer_resources: Any = None) -> Any:
    """Return the tfx Pipeline of a specification; its files are under `spec.work`, a folder or a `gs://` URI.

    `metadata` says where executions are noted, for a runner that has no place of its own; `trainer_resources` is what
    the runner's platform is to give the Trainer. `spec` is read where its taxonomy is.
    """
    from tfx import v1 as tfx

    config = {"spec": f"{spec.work}/tfx_spec.json"}
    checked = _checked_examples(spec)
    examples, schema, check = checked["examples"], checked["schema"], checked["check"]
    transform = tfx.components.Transform(
        examples=examples.outputs["result"],
        schema=schema.outputs["schema"],
        preprocessing_fn=f"{MODULE}.preprocessing_fn",
        custom_config=config,
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    transform.add_upstream_node(check)
    trainer = tfx.components.Trainer(
        run_fn=f"{MODULE}.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(),
        eval_args=tfx.proto.EvalArgs(),
        custom_config=config,
    )
    if trainer_resources is not None:
        trainer.with_platform_config(trainer_resources)
    return tfx.dsl.Pipeline(
        pipeline_name="train",
        pipeline_root=f"{spec.work}/tfx",
        components=[*checked.values(), transform, trainer, *_judged(spec, examples, trainer)],
        enable_cache=False,
        metadata_connection_config=metadata,
        beam_pipeline_args=BEAM_ARGS,
    )


def _checked_examples(spec: TrainSpec) -> dict[str, Any]:
    import tensorflow_data_validation as tfdv
    from tfx import v1 as tfx

    from pipelines.train.anomalies import CheckAnomalies

    examples = tfx.dsl.Importer(
        source_uri=spec.examples,
        artifact_type=tfx.types.standard_artifacts.Examples,
        properties={"split_names": '["train", "eval"]'},
        custom_properties={"payload_format": "FORMAT_TF_EXAMPLE", "file_format": "tfrecords_gzip"},
    ).with_id("Examples")
    statistics = tfx.components.StatisticsGen(
        examples=examples.outputs["result"],
        stats_options=tfdv.StatsOptions(feature_allowlist=statistics_features(spec.slots())),
    )
    schema = tfx.components.ImportSchemaGen(schema_file=f"{spec.work}/schema.pbtxt")
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    check = CheckAnomalies(anomalies=validator.outputs["anomalies"])
    return {"examples": examples, "statistics": statistics, "schema": schema, "validator": validator, "check": check}


def _judged(spec: TrainSpec, examples: Any, trainer: Any) -> list[Any]:
    from tfx import v1 as tfx

    from pipelines.train.verdict import eval_config

    live = None
    if spec.baseline:
        live = tfx.dsl.Importer(
            source_uri=f"{spec.work}/live", artifact_type=tfx.types.standard_artifacts.Model
        ).with_id("LiveModel")
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["result"],
        model=trainer.outputs["model"],
        baseline_model=live.outputs["result"] if live else None,
        eval_config=eval_config(spec),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=f"{spec.work}/pushed")
        ),
    )
    return [*([live] if live else []), evaluator, pusher]


def outcome_of(spec: TrainSpec, work: Path) -> TrainOutcome:
    """Return what a pipeline that has run came to, by the files that it left in a local `work`."""
    import json

    from pipelines.train.verdict import evaluator_metrics, refusal
    from trainer.tfx_module.module import METRICS

    root = work / "tfx"
    evaluation = _only(root, "Evaluator/evaluation/*")
    metrics = json.loads(_only(root, f"Trainer/model_run/*/{METRICS}").read_text(encoding="utf-8"))
    refused = refusal(evaluation, spec)
    export = _only(root, "Trainer/model/*/Format-Serving") if refused else _only(work, "pushed/*")
    return TrainOutcome(str(export), refused, metrics | evaluator_metrics(evaluation))


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise StageError(f"expected one {folder / pattern}, found {len(found)}; this is a defect, report it")
    return found[0]


def _short(error: BaseException) -> str:
    """Return the error's own words: its last line that says something, without a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:1000] if lines else type(error).__name__


class _Nodes:
    """Follows LocalDagRunner: says which node starts, times it, and puts its name into its error."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.seconds: dict[str, float] = {}

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch every node that LocalDagRunner launches in the block; it has no hook of its own."""
        from tfx.orchestration.portable import launcher

        plain: Any = launcher.Launcher
        nodes = self

        class Watched(plain):
            def __init__(self, pipeline_node: Any, *rest: Any, **named: Any) -> None:
                super().__init__(pipeline_node, *rest, **named)
                self.name = pipeline_node.node_info.id

            def launch(self) -> Any:
                return nodes.run(self.name, super().launch)

        launcher.Launcher = Watched
        try:
            yield
        finally:
            launcher.Launcher = plain

    def run(self, name: str, launch: Callable[[], Any]) -> Any:
        """Run one node. Raises StageError when it fails."""
        self.say(name)
        started = time.monotonic()
        try:
            return launch()
        except Exception as error:
            logging.exception("%s failed", name)
            raise StageError(f"training failed in {name}: {_short(error)}") from error
        finally:
            self.seconds[name] = time.monotonic() - started

    def summary(self) -> str:
        """Return the seconds of every node."""
        return "TFX: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())


if __name__ == "__main__":
    from pipelines.train.launch import child_main

    sys.exit(child_main(sys.argv[1:], run_tfx))
