"""The gate that people decide: a release is judged beside the live one before it takes its place."""

from __future__ import annotations

from typing import Final

from pipelines.config import PromoteSection
from pipelines.errors import GateError, WaitingError
from pipelines.releases.gate import Gate
from pipelines.releases.release import Release, read_release
from pipelines.releases.verdicts import METRIC, Judged, Standing, judged_beside
from pipelines.store import Store

NOTE: Final = "promote.preference_lower"


def preference_gate(section: PromoteSection, store: Store, release: Release, live_id: str | None) -> Gate | None:
    """Return the gate that a release passed by people's verdict; None where none is asked of it.

    Raises WaitingError when there is no verdict yet, GateError when they like it too little. Both name what to do.
    """
    if section.judged == "never" or live_id is None:
        return None
    live, by_model = read_release(store, live_id), section.judged == "new_model"
    if Judged.of(release).answers_as(live, by_model=by_model):
        return None
    task = judged_beside(store, release, live, by_model=by_model)
    lower = None if task is None else task.preference_lower(release, live, by_model=by_model)
    if lower is None:
        raise WaitingError(_waiting(release, live, task), stage="promote", run_id=release.run_id)
    bound = section.preference_lower
    gate = Gate(METRIC, "floor", lower, bound, lower >= bound, NOTE, least=True)
    if not gate.passed:
        raise GateError(_refused(release, live, task, gate), stage="promote", run_id=release.run_id)
    return gate


def _waiting(release: Release, live: Release, task: Standing | None) -> str:
    what = f"release {release.release_id} waits for people's verdict beside the live release {live.release_id}"
    then = f"once it is decided, `visual-search run --run-id {release.run_id} --from promote` goes on"
    if task is None:
        made = f"`visual-search judge new --releases {live.release_id} {release.release_id}` makes a task of it"
        return f"{what}: {made}, and {then}"
    return f"{what}: `visual-search judge report --task {task.task_id}` says how far they are, and {then}"


def _refused(release: Release, live: Release, task: Standing | None, gate: Gate) -> str:
    told = "" if task is None or task.verdict is None else f", after {task.verdict.queries} queries"
    return (
        f"people judged release {release.release_id} beside the live release {live.release_id}{told}: "
        f"{gate.sentence()}. Mend it; or have it judged by other queries, "
        f"`visual-search judge new --seed N --releases {live.release_id} {release.release_id}`"
    )
