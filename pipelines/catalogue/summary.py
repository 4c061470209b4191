"""What became of the rows of a catalogue run, adding up over files and buckets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipelines.runs.inputs import first_examples
from pipelines.runs.ledger import Ledger

COUNTS = ("items", "photos", "added", "changed", "removed")
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
    """Those of `Merged`, COUNTS, `parent_items`; of the snapshot its files, rows that are `gone` or `out_of_stock`, and
    `unnamed` rejects."""
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
