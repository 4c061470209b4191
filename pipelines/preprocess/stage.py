"""The preprocess stage: plan what is new, do it unit by unit, then resolve every photo of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pipelines.errors import GateError, StageError
from pipelines.jobs.units import PLAN, Unit, cut_lanes, lane_count
from pipelines.preprocess.groups import most_items
from pipelines.preprocess.job import Job
from pipelines.preprocess.meanings import BAD_PHOTO, DROPPED, PLACEHOLDER
from pipelines.preprocess.placeholders import keep_placeholders
from pipelines.preprocess.planning import job_of, plan_units
from pipelines.preprocess.replaced import Replaced
from pipelines.preprocess.settled import settled_until
from pipelines.preprocess.summary import Summary
from pipelines.preprocess.tallies import host_notes, read_tallies, telling, traffic
from pipelines.preprocess.unlinked import unlinked_notes
from pipelines.releases.unchanged import digest_of, done_for_live, skipped, take
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_photo_folders, check_share, reject_notes
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import Manifest
from pipelines.runs.outputs import CatalogueOutputs, PreprocessOutputs
from pipelines.shop_files.web.web import PASSING
from pipelines.store import Log, UnitTable

AGAIN = "; the next run asks again"
"""Of what a host could not give now."""
NOTHING_NEW = "nothing new: 0 photos fetched, 0 prepared"
SETTLED_AFTER = 10
"""How often splits are done again because another run was faster."""


def run(context: RunContext) -> StageResult:
    """Prepare what is new and resolve the photos of the run's catalogue."""
    section = context.config.preprocess
    catalogue_id = context.outputs(CatalogueOutputs).catalogue_id
    check_photo_folders(context.config)
    job = job_of(context, catalogue_id)
    context.pin("preprocess", job.images)
    planned = plan_units(context, job)
    units = planned.units
    _do(context, job, units, planned.asked.addresses)
    committed = [UnitTable(job.store, table).unit_ids() for table in ("sources", job.images)]
    if not units and (done := done_for_live(context, "preprocess", _given(context, job, committed))):
        return _as_live(done)
    counts, ledger, summary = _resolve(context, job, units)
    examples, told = _examples(job, summary), list(summary.notes(context.config.fetch.gone_days))
    try:
        judged = ledger.without(PLACEHOLDER).without(DROPPED).without(BAD_PHOTO)
        check_share("preprocess", judged, section.max_rejected_share, examples, _recheck(context, job, summary))
        told += _judged(context, _replaced(job))
    except (StageError, GateError):
        _forget(job)
        raise
    outputs = PreprocessOutputs(section.spec.prep_id, catalogue_id, job.photos, ledger.ok + ledger.skipped)
    tallies = read_tallies(job) if planned.asked.addresses else {}
    notes = [*host_notes(tallies), *planned.requeried.notes()] if units else [NOTHING_NEW]
    notes += [
        *reject_notes(ledger, examples),
        *told,
        *unlinked_notes(job, _most_items(context), keep_placeholders(job)),
    ]
    given = _given(context, job, committed)
    return StageResult(ledger, counts | {"units": len(units)} | traffic(tallies), outputs, notes=notes, given=given)


def _given(context: RunContext, job: Job, committed: list[list[str]]) -> str:
    """Return what the resolved table depends on; `committed` was asked before it was made, the splits are asked now."""
    listed: list[Any] = [digest.hex() for digest in (*job.dropped.digests, *job.dropped.looks)]
    if job.curated.bad_photos or job.curated.apart:
        listed.append([job.curated.bad_photos.listed(), job.curated.apart.checksum])
    return digest_of(context, "preprocess", job.catalogue, job.images, committed, settled_until(job.store), listed)


def _as_live(done: Manifest) -> StageResult:
    """Return what the run of the live release made of the same catalogue, photos and splits."""
    said = [note for note in done["notes"] if note != NOTHING_NEW]  # it may have planned nothing either
    counts = {"fetched": 0, "prepared": 0, "units": 0}
    return take(done, PreprocessOutputs, skipped(done), counts, [NOTHING_NEW, *said])


def _do(context: RunContext, job: Job, units: list[Unit], far: int) -> None:
    sources, images = UnitTable(job.store, "sources"), UnitTable(job.store, job.images)

    def done(unit_id: str) -> bool:
        return images.has(unit_id) and sources.has(unit_id)

    left = [unit for unit in units if not done(unit.unit_id)]
    if not left:
        return
    from pipelines.preprocess.pipeline import build_units

    if len(left) < len(units):
        context.progress.say(f"preprocess: {len(units) - len(left)} of {len(units)} units are done already")
    rows = {unit.unit_id: unit.rows for unit in units}
    lanes = cut_lanes(left, lane_count(context.config.beam, len(left)) if far else len(left))
    with (
        context.progress.watch(
            "preprocess: photos", sum(rows.values()), lambda: sum(n for unit_id, n in rows.items() if done(unit_id))
        ),
        telling(context.progress, job, far),
    ):
        context.jobs("preprocess").run("units", partial(build_units, job=job, lanes=lanes))


def _resolve(context: RunContext, job: Job, units: list[Unit]) -> tuple[dict[str, int], Ledger, Summary]:
    """Write the resolved table; return what was done now, the ledger, and what the table says in numbers."""
    _split(context, job, sorted(unit.unit_id for unit in units))
    kept = (job.store.read_json(entry.name) for entry in job.store.list(job.summaries))
    summary = sum(map(Summary.of_json, kept), Summary())
    counts = summary.counts
    ok, skipped = counts.pop("ok", 0), counts.pop("skipped", 0)
    rejected = counts.total()
    ledger = Ledger(ok + skipped + rejected, ok, skipped, rejected, dict(sorted(counts.items())))
    return job.store.read_json(job.done), ledger, summary


def _examples(job: Job, summary: Summary) -> dict[str, str]:
    """Return an example of each reject code, in words."""
    said = summary.said
    return {
        code: f"{uri}: {job.preparer.explain(uri, code, said.get(uri, ''))}{AGAIN if code in PASSING else ''}"
        for code, uri in summary.examples.items()
    }


def _recheck(context: RunContext, job: Job, summary: Summary) -> Iterator[str]:
    """Yield what has rejected photos asked for again whose hosts have said for good that there is none."""
    hours, address = context.config.fetch.recheck_hours, job.preparer.fetcher.address
    others = PASSING | {PLACEHOLDER, DROPPED, BAD_PHOTO}
    lasting = sorted(code for code, uri in summary.examples.items() if code not in others and address(uri))
    if lasting and hours:
        yield (
            f"{' and '.join(lasting)}: these addresses are asked again after {hours:g} hours (fetch.recheck_hours); "
            "once their host is mended, set fetch.recheck_hours = 0 and run it again, which asks for them at once"
        )


def _replaced(job: Job) -> Replaced:
    kept = (job.store.read_json(entry.name) for entry in job.store.list(job.replaced))
    return sum(map(Replaced.of_json, kept), Replaced())


def _judged(context: RunContext, replaced: Replaced) -> list[str]:
    """Return the notes on pictures that products share in the place of photos of the live release.

    Raises GateError when these are too many and nobody has accepted them.
    """
    limit, lost, notes = context.config.preprocess.max_rejected_share, replaced.lost, [*replaced.notes()]
    if lost <= limit * replaced.had:
        return notes
    what = (
        f"{lost} of {replaced.had} photos of the live release ({lost / replaced.had:.1%}) have given way to pictures "
        f"that products share, over preprocess.max_rejected_share = {limit:.1%}"
    )
    if context.accept_reason:
        return [*notes, f"{what}; accepted: {context.accept_reason}"]
    examples = "".join(f"\n  {note}" for note in notes)
    raise GateError(
        f"{what}; a host may answer with a picture that says there is none:{examples}\nOnce the host gives the photos "
        "again, run with fetch.max_age_hours = 0, which asks for all that were fetched; if the pictures are right, run "
        "again with --accept 'REASON'",
        stage="preprocess",
        run_id=context.run_id,
    )


def _split(context: RunContext, job: Job, unit_ids: list[str]) -> None:
    """Run the job that resolves and splits, again where another run settled its splits meanwhile."""
    from pipelines.preprocess.pipeline import build_resolve
    from pipelines.preprocess.splits import Shares

    section, store = context.config.preprocess, context.store
    shares = Shares(section.val_share, section.test_share, _most_items(context), section.max_items_a_photo)
    for _ in range(SETTLED_AFTER):
        number = settled_until(store)
        context.jobs("preprocess").run(
            "resolve", partial(build_resolve, job=job, unit_ids=unit_ids, shares=shares, number=number)
        )
        if store.read_json(job.settled):
            return
        context.progress.say("preprocess: another run settled its splits meanwhile; splitting what is left")
    raise StageError(f"{SETTLED_AFTER} other runs were faster to settle their splits; run preprocess again")


def _most_items(context: RunContext) -> int:
    """Return how many items a group may hold that stays on one side of the splits."""
    entry = Log(context.store, "catalogue/log").entry(context.outputs(CatalogueOutputs).number)
    return most_items(context.config.preprocess.max_group_share, entry["counts"]["items"])


def _forget(job: Job) -> None:
    """Remove the plan and the resolved table of the run, so that it plans afresh once the input is mended.

    The plan goes first, which names the rest; the attempts stay, so that the next one has a folder of its own.
    """
    for entry in sorted(job.store.list(job.prefix), key=lambda entry: not entry.name.endswith(PLAN)):
        if not entry.name.endswith("/lease.json") and "/plan/attempts/" not in entry.name:
            job.store.delete(entry.name)
