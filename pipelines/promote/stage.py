"""The promote stage: make a release live, or return to an earlier one; each is one more entry of the live log.

A reader of the log sees one release or the other, never a half of each.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.errors import GateError, StageError
from pipelines.promote.judged import preference_gate
from pipelines.promote.services import wait
from pipelines.releases.gate import Gate
from pipelines.releases.history import Entry, History, append, make_entry, read_history
from pipelines.releases.release import Release, check_parts, is_whole, read_release
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import EvaluateOutputs, PromoteOutputs
from pipelines.store import Store

ATTEMPTS = 20


def run(context: RunContext) -> StageResult:
    """Make the release of this run live, unless it is already.

    Raises GateError when the release is not blessed (unless `accept_reason` says why it is to be live all the same, or
    the live one was accepted, and its numbers are the release's) or the live one is newer (unless a `force_reason` says
    why it is to go), or people who judge it like it too little (WaitingError while they have no verdict), StoreError
    when something that the release refers to is gone, and StageError when a service of `promote.services` does not
    answer with it in time.
    """
    release = read_release(context.store, str(context.outputs(EvaluateOutputs).release_id))
    check_parts(context.store, release)
    for _ in range(ATTEMPTS):
        history = read_history(context.store)
        number = _already(history, context.run_id, release.release_id)
        if number is not None:
            return _served(context, _result(context.store, release, history, number, promoted=False))
        accepted = context.accept_reason or history.accepted_as(release)
        _check_blessed(context, release, accepted)
        _check_newer(context, release, history)
        gate = None if accepted or context.overrides.force_reason else _judged(context, release, history)
        entry = _entry(context, release, history, accepted, gate)
        context.check_lease()
        if append(context.store, history, entry):
            return _served(context, _result(context.store, release, history, history.number + 1, promoted=True))
    raise StageError(f"{ATTEMPTS} other promotions were faster than that of {release.release_id}; run promote again")


def rollback(store: Store, *, reason: str, to: str | None = None) -> Entry:
    """Make the release live that was so before, or an earlier one by its id; return the new entry of the log.

    Rolling back twice goes further back. Releases that answer as the live one does, of days with nothing new, are
    passed over unless one is named. Raises StageError when there is nothing to return to, or the release was
    never live or is no longer whole, and StoreError when a part of it is damaged.
    """
    if not reason.strip():
        raise StageError("a rollback needs a reason; say why with --reason")
    for _ in range(ATTEMPTS):
        history = read_history(store)
        release = read_release(store, _target(store, history, to))
        check_parts(store, release)
        live = history.live or {}
        entry = make_entry(
            release,
            "rollback",
            live.get("release_id"),
            run_id=release.run_id,
            config_digest=str(_promotion(history, release.release_id).get("config_digest", "")),
            reason=reason,
        )
        if append(store, history, entry):
            return entry
    raise StageError(f"{ATTEMPTS} other promotions were faster than the rollback; look at `status` and try again")


def _judged(context: RunContext, release: Release, history: History) -> Gate | None:
    live_id = history.live["release_id"] if history.live else None
    return preference_gate(context.config.promote, context.store, release, live_id)


def _entry(context: RunContext, release: Release, history: History, accepted: str | None, judged: Gate | None) -> Entry:
    previous = history.live["release_id"] if history.live else None
    entry = make_entry(
        release,
        "promote",
        previous,
        run_id=context.run_id,
        config_digest=context.config.fingerprint(),
        reason=context.overrides.force_reason or accepted,
    )
    return entry if judged is None else entry | {"gates": [*release.gates, judged.as_dict()]}


def _served(context: RunContext, result: StageResult) -> StageResult:
    """Return the result when the services of the config answer with the release."""
    section, live = context.config.promote, result.outputs
    if not section.services or not isinstance(live, PromoteOutputs):
        return result
    context.progress.say("promote: waiting until these answer with it: " + ", ".join(section.services))
    wait(section.services, live.live, live.release_id, section.services_wait_s)
    return replace(result, notes=[*result.notes, "answered with by " + ", ".join(section.services)])


def _result(store: Store, release: Release, history: History, number: int, *, promoted: bool) -> StageResult:
    before = history.live["release_id"] if history.live else "none"
    note = f"{release.release_id} is live, before it {before}" if promoted else f"{release.release_id} was live already"
    outputs = PromoteOutputs(release.release_id, number)
    ledger = Ledger(1, 1) if promoted else Ledger(1, 0, 1)
    return StageResult(ledger, outputs=outputs, uri=f"{store.uri}/releases/{release.release_id}", notes=[note])


def _already(history: History, run_id: str, release_id: str) -> int | None:
    """Return the entry that made the release live: it is so now, or this run did it before it was killed."""
    if history.live and history.live["release_id"] == release_id:
        return history.number
    return history.promotion_of(run_id, release_id)


def _check_blessed(context: RunContext, release: Release, accepted: str | None) -> None:
    if release.blessed or accepted:
        return
    failed = [gate.sentence() for gate in map(Gate.of, release.gates) if not gate.passed]
    raise GateError(
        f"release {release.release_id} is not blessed: {'; '.join(failed) or 'no gate says why'}. "
        "Mend it, or promote it all the same with --accept 'REASON'",
        stage="promote",
        run_id=context.run_id,
    )


def _check_newer(context: RunContext, release: Release, history: History) -> None:
    live, told = history.live, context.overrides
    if live is None or told.force_reason:
        return
    if told.live_model is not None:
        model_id = read_release(context.store, live["release_id"]).model_id
        if model_id not in {told.live_model, release.model_id}:
            raise GateError(
                f"model {model_id} went live meanwhile, in release {live['release_id']}; release {release.release_id} "
                f"was made beside model {told.live_model}, so it would take that back. Start it again"
            )
    check_catalogue(f"release {release.release_id}", release.catalogue_number, live)


def check_catalogue(what: str, number: int, live: Entry) -> None:
    """Raise GateError when the live release (an entry of the log) has a later catalogue than `number`.

    Numbers are those of the catalogue's log, in which each catalogue extends the one before. How far feeds were read by
    the dates of their rows orders nothing: one wrong date would be the newest for ever.
    """
    held = live.get("catalogue_number", 0)
    if number < held:
        raise GateError(
            f"the live release {live['release_id']} has catalogue {held} of the catalogue's log, {what} only {number}: "
            "it would bring back what has changed since. Start a new run"
        )


def _target(store: Store, history: History, to: str | None) -> str:
    if history.live is None:
        raise StageError("nothing was ever promoted, so there is nothing to roll back to")
    live = history.live["release_id"]
    if to is None:
        return _one_before(store, history, live)
    if to == live:
        raise StageError(f"{to} is live already")
    if not _promotion(history, to):
        raise StageError(f"{to!r} was never live, so it is nothing to roll back to; {_choice(store, history, live)}")
    if not is_whole(store, to):
        raise StageError(
            f"{to!r} cannot be live again, for `gc` has removed parts of it; {_choice(store, history, live)}"
        )
    return to


def _one_before(store: Store, history: History, live: str) -> str:
    """Return the release that was live before and does not answer as the live one does: that would mend nothing."""
    earlier = [release for release in history.returnable()[1:] if release != live]
    others = [release for release in earlier if len(history.answering([live, release])) == 2]
    if not others:
        alike = f", but for {len(set(earlier))} with the same model and index" if earlier else ""
        raise StageError(f"{live} has no release before it{alike}; nothing to roll back to")
    return next((release for release in others if is_whole(store, release)), others[0])


def _choice(store: Store, history: History, live: str) -> str:
    ids = [release for release in history.recent(len(history.entries)) if release != live]
    whole = [release for release in ids if is_whole(store, release)]
    return f"choose one of {', '.join(whole)}" if whole else "there is none to go back to"


def _promotion(history: History, release_id: str) -> Entry:
    entries = [e for _, e in history.entries if e["release_id"] == release_id and e["action"] == "promote"]
    return entries[-1] if entries else {}
