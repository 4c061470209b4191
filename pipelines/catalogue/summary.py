"""What became of the rows of a catalogue run, adding up over buckets, and the gates that look at it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import GateError, StageError
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_share, first_examples
from pipelines.runs.ledger import Ledger

COUNTS = ("items", "photos", "added", "changed", "removed", "parent_items")


@dataclass
class Summary:
    """What became of the rows of some buckets; summaries add up."""

    total: int = 0
    ok: int = 0
    skipped: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)  # reject code -> source and detail
    counts: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    parent_by_category: Counter[str] = field(default_factory=Counter)
    values: list[tuple[str, str]] = field(default_factory=list)
    snapshot_time: float | None = None

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
            self.snapshot_time or other.snapshot_time,
        )

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Summary:
        """Return the summary whose fields were kept as JSON."""
        counters = {key: Counter(kept[key]) for key in ("rejects", "counts", "removed", "parent_by_category")}
        values = [(kind, value) for kind, value in kept["values"]]
        return cls(**kept | counters | {"values": values})

    def ledger(self) -> Ledger:
        """Return where the rows went. Raises StageError when they do not add up."""
        return Ledger(self.total, self.ok, self.skipped, sum(self.rejects.values()), dict(sorted(self.rejects.items())))

    def all_counts(self) -> dict[str, int]:
        """Return every count, also those that are 0."""
        return {name: self.counts[name] for name in COUNTS if name != "parent_items"}


def check_summary(context: RunContext, summary: Summary, ledger: Ledger) -> None:
    """Raise StageError when too much was rejected or nothing is left, GateError when too many items vanish."""
    check_share("catalogue", ledger, context.config.catalogue.max_rejected_share, summary.examples)
    if not summary.counts["items"]:
        raise StageError("no item is left in the catalogue; nothing was changed: check the feed's rows and columns")
    _check_removals(context, summary)


def check_order(context: RunContext, before: dict[str, str], now: dict[str, str]) -> None:
    """Raise GateError when the snapshot is older than the one that was read last."""
    old, new = before.get("snapshot", ""), now.get("snapshot", "")
    if new < old and not context.accept_reason:
        raise GateError(
            f"the snapshot is of {new}, older than the one already read ({old}); nothing was changed. "
            "If this is right, run again with --accept 'REASON'"
        )


def _check_removals(context: RunContext, summary: Summary) -> None:
    removed, before = sum(summary.removed.values()), summary.counts["parent_items"]
    limit = context.config.catalogue.max_removed_share
    if not before or removed / before <= limit or context.accept_reason:
        return
    lines = [f"  {name}: {n} of {summary.parent_by_category[name]}" for name, n in summary.removed.most_common(10)]
    raise GateError(
        f"the snapshot removes {removed} of {before} items ({removed / before:.1%}), "
        f"over catalogue.max_removed_share = {limit:.1%}; nothing was changed. By category:\n"
        + "\n".join(lines)
        + "\nIf this is right, run again with --accept 'REASON'"
    )
