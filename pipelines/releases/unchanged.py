"""What need not be done again: a stage that would be given what it was given in the run of the live release."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from pipelines.releases.live import live_release
from pipelines.releases.release import BrokenReleaseError
from pipelines.runs.context import Overrides, RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import Manifest, read_manifest, sections_of
from pipelines.runs.outputs import StageOutputs

VERSION: Final = 3
"""Of all stages: raised when one of them comes to another result from equal inputs."""


def digest_of(context: RunContext, stage: str, *inputs: Any) -> str:
    """Return 16 hex digits of what a stage is given: its part of the config, and these JSON values."""
    config = context.config.digest(*sections_of(stage))
    return hashlib.sha256(json.dumps([VERSION, stage, config, *inputs]).encode()).hexdigest()[:16]


def done_for_live(context: RunContext, stage: str, given: str) -> Manifest | None:
    """Return the manifest of the run that did the same for the live release; None where other things were given.

    The folder of that run is kept from `gc`. A run of the past does everything again: it is there to mend what is
    damaged.
    """
    if context.overrides != Overrides():
        return None
    try:
        live = live_release(context.store)
    except BrokenReleaseError:  # evaluate says so
        return None
    if live is None or not live.run_id:
        return None
    taken = read_manifest(context.store, live.run_id, stage)
    if taken is None or taken.get("given") != given:
        return None
    run_id = taken["taken_from"] or taken["run_id"]
    context.pin(stage, f"runs/{run_id}")
    return read_manifest(context.store, run_id, stage)


def take(
    done: Manifest, kind: type[StageOutputs], ledger: Ledger, counts: dict[str, int], notes: list[str]
) -> StageResult:
    """Return the result of a stage that hands on what another run has done: its outputs, and where they lie."""
    return StageResult(
        ledger,
        counts,
        kind.of_json(done["outputs"]),
        done["uri"],
        notes,
        given=done["given"],
        taken_from=done["run_id"],
    )


def skipped(done: Manifest) -> Ledger:
    """Return the ledger of a stage that takes what another has done: nothing is ok anew."""
    counts = done["counts"]
    total, rejected = counts["in"], counts["rejected"]
    return Ledger(total, 0, total - rejected, rejected, dict(done["rejects"]))
