"""Whether what became of the rows of a catalogue run may become the catalogue."""

from __future__ import annotations

from pipelines.catalogue.notes import gone_of, hints_of, out_of_stock_of
from pipelines.catalogue.parts import check_parts
from pipelines.catalogue.records import ERASED
from pipelines.catalogue.summary import Summary
from pipelines.errors import GateError, StageError
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_share
from pipelines.runs.ledger import Ledger

FEW_ROWS = 100
"""Of fewer rows, no share is taken: one bad row of a small file must not stop a catalogue."""
_FEEDS = {"snapshot": "the snapshot", "deltas": "the deltas", "media": "the media table"}


def check_summary(context: RunContext, summary: Summary, ledger: Ledger) -> None:
    """Raise StageError when files may be lists of several days, too much was rejected, or nothing is left.

    Raises GateError when a gate says no.

    The gates: a snapshot that is older than the one before, and too many items that vanish.
    """
    if context.config.catalogue.snapshot_files is None:
        check_parts(summary)
    limit, ledger = context.config.catalogue.max_rejected_share, ledger.without(ERASED)
    if ledger.rejected > limit * min(summary.counts["parent_items"], FEW_ROWS):  # as deltas of an hour are
        check_share("catalogue", ledger, limit, summary.examples, hints_of(summary))
    if not summary.counts["items"]:
        none = "no item is left in the catalogue; nothing was changed: check the feed's rows and columns"
        raise StageError("\n".join([none, *_told(summary)]))
    if not context.accept_reason:
        _check_order(context, summary)
        _check_removals(context, summary)


def _check_order(context: RunContext, summary: Summary) -> None:
    """Tell an older snapshot by its rows: most that have another time than before have an earlier one.

    One row alone does not tell: its time was corrected.
    """
    back, on = summary.counts["back"], summary.counts["on"]
    if back <= max(on, 1):
        return
    column = context.config.catalogue.columns.updated_at
    times = f"column {column!r}" if column else "the time of the file"
    raise GateError(
        f"the snapshot is older than the one already read: by {times} {back} of its items are of an earlier time than "
        f"they were there, {on} of a later one; nothing was changed. If it is to be the catalogue all the same, run "
        "again with --accept 'REASON'",
        stage="catalogue",
        run_id=context.run_id,
    )


def _told(summary: Summary) -> list[str]:
    """Return what may be why items vanish."""
    fix = "; if some are not, take what that column says of them from catalogue.deleted_words"
    return [f"{gone}{fix}" for gone in gone_of(summary)] + [
        *out_of_stock_of(summary),
        *hints_of(summary),
    ]


def _check_removals(context: RunContext, summary: Summary) -> None:
    removed, before = summary.counts["removed"], summary.counts["parent_items"]
    limit = context.config.catalogue.max_removed_share
    if not before or removed / before <= limit:
        return
    feeds = " and ".join(name for feed, name in _FEEDS.items() if summary.rows[feed]) or "what is configured now"
    verb = "remove" if feeds.endswith("deltas") or " and " in feeds else "removes"
    lines = [f"  {name}: {n} of {summary.parent_by_category[name]}" for name, n in summary.removed.most_common(10)]
    raise GateError(
        f"{feeds} {verb} {removed} of {before} items ({removed / before:.1%}), "
        f"over catalogue.max_removed_share = {limit:.1%}; nothing was changed. By category:\n"
        + "\n".join([*lines, *_told(summary)])
        + "\nIf this is right, run again with --accept 'REASON'",
        stage="catalogue",
        run_id=context.run_id,
    )
