"""What a stage of a run is given, and what a run of the past is told besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.jobs.jobs import Jobs
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import StageOutputs
from pipelines.runs.pins import pin
from pipelines.store import Store
from pipelines.telemetry.progress import Progress


@dataclass(frozen=True)
class Overrides:
    """What a run of the past, or of a given model, is told instead of what the feeds, the policy and the live log say.

    `catalogue` is a number of the catalogue's log: that catalogue is taken as it was, and no feed is read.
    `deltas_after` is a file name: the deltas after it are read again, for some came late.
    `model_id` is the model to use, whatever `train.policy` says.
    `live_model` is the model that must still be live when the run promotes, and `force_reason` why all checks of what
    is newer are passed over.
    """

    catalogue: int | None = None
    deltas_after: str | None = None
    model_id: str | None = None
    live_model: str | None = None
    force_reason: str | None = None


@dataclass(frozen=True)
class RunContext:
    """What a stage is given: the config, the store, the run, and how to report progress.

    `check_lease` raises StageError once another process does the stage: jobs ask it, and so does whoever is about to
    publish what cannot be taken back.
    """

    config: Config
    store: Store
    run_id: str
    buckets: int
    progress: Progress
    accept_reason: str | None = None
    limit: int | None = None
    overrides: Overrides = Overrides()
    check_lease: Callable[[], None] = lambda: None

    def prefix(self, stage: str) -> str:
        """Return the folder of a stage of this run."""
        return f"runs/{self.run_id}/{stage}"

    def pin(self, stage: str, group: str) -> None:
        """Keep `gc` from a group, `<kind>/<name>`, that a stage of this run is about to look for and use."""
        pin(self.store, group, self.run_id, stage)

    def jobs(self, stage: str) -> Jobs:
        """Return what runs the Beam pipelines of a stage of this run."""
        return Jobs(self.config.beam, f"{self.store.uri}/{self.prefix(stage)}", self.check_lease)

    def outputs[Outputs: StageOutputs](self, kind: type[Outputs]) -> Outputs:
        """Return what an earlier stage of this run hands on. Raises StageError when it has not finished."""
        stage = kind.stage
        manifest = read_manifest(self.store, self.run_id, stage)
        if manifest is None:
            raise StageError(f"run {self.run_id!r} has no finished {stage} stage; run it first: visual-search {stage}")
        return kind.of_json(manifest["outputs"])


def new_run_id(now: datetime | None = None) -> str:
    """Return a run id made of the UTC time, to the second."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
