"""What became of the rows of a catalogue run, adding up over files and buckets, and the gates that look at it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import GateError, StageError
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_share, first_examples
from pipelines.runs.ledger import Ledger

FEW_ROWS = 100
"""Of fewer rows, no share is taken: one bad row of a small file must not stop a catalogue."""
COUNTS = ("items", "photos", "added", "changed", "removed")
_FEEDS = {"snapshot": "the snapshot", "deltas": "the deltas", "media": "the media table"}
_COUNTERS = ("rejects", "counts", "removed", "parent_by_category", "rows", "remarks")


@dataclass
class Summary:
    """What became of the rows of some files or buckets; summaries add up."""

    total: int = 0
    ok: int = 0
    skipped: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """Of each reject code: source and detail."""
    counts: Counter[str] = field(default_factory=Counter)
    """Those of `Merged`, COUNTS, `parent_items`, and `unnamed` rejects of the snapshot, whose item cannot be read."""
    removed: Counter[str] = field(default_factory=Counter)
    parent_by_category: Counter[str] = field(default_factory=Counter)
    values: list[tuple[str, str]] = field(default_factory=list)
    kept_example: str = ""
    newest_row: float = 0.0
    """Of the snapshot, in seconds since 1970; 0 when none was read."""
    rows: Counter[str] = field(default_factory=Counter)
    """By feed."""
    remarks: Counter[str] = field(default_factory=Counter)
    remarked: dict[str, str] = field(default_factory=dict)
    """An example of each remark."""

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.total + other.total,
            self.ok + other.ok,
            self.skipped + other.skipped,
            self.rejects + other.rejects,
            first_examples(self.examples, other.examples),
            self.counts + other.counts,
            self.removed + other.removed,
            self.parent_by_category + other.parent_by_category,
            sorted({*self.values, *other.values}),
            min(filter(None, (self.kept_example, other.kept_example)), default=""),
            max(self.newest_row, other.newest_row),
            self.rows + other.rows,
            self.remarks + other.remarks,
            first_examples(self.remarked, other.remarked),
        )

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Summary:
        """Return the summary whose fields were kept as JSON."""
        counters = {key: Counter(kept[key]) for key in _COUNTERS}
        values = [(kind, value) for kind, value in kept["values"]]
        return cls(**kept | counters | {"values": values})

    def ledger(self) -> Ledger:
        """Return where the rows went. Raises StageError when they do not add up."""
        return Ledger(self.total, self.ok, self.skipped, sum(self.rejects.values()), dict(sorted(self.rejects.items())))

    def all_counts(self) -> dict[str, int]:
        """Return every count, also those that are 0."""
        return {name: self.counts[name] for name in COUNTS}


def check_summary(context: RunContext, summary: Summary, ledger: Ledger) -> None:
    """Raise StageError when too much was rejected or nothing is left, GateError when a gate says no.

    The gates: a snapshot that is older than the one before, and too many items that vanish.
    """
    limit = context.config.catalogue.max_rejected_share
    if ledger.rejected > limit * min(summary.counts["parent_items"], FEW_ROWS):  # as deltas of an hour are
        check_share("catalogue", ledger, limit, summary.examples)
    if not summary.counts["items"]:
        raise StageError("no item is left in the catalogue; nothing was changed: check the feed's rows and columns")
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
        "again with --accept 'REASON'"
    )


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
        + "\n".join(lines)
        + "\nIf this is right, run again with --accept 'REASON'"
    )
