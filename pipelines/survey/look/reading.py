"""The whole feed, read by the catalogue stage into a store that is thrown away; this machine does it in process."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipelines.config import Config, ConfigError
from pipelines.config.stages import MonitoringSection
from pipelines.errors import GateError, StageError
from pipelines.runs.ledger import Ledger, most_frequent_first
from pipelines.runs.sequence import open_run, run_stages
from pipelines.store import Store, StoreError
from pipelines.survey.look.findings import ODD, STOPS, TOLD, Finding
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import REJECTS
from pipelines.telemetry.progress import Progress

RUN_ID: Final = "check"
EXAMPLES: Final = 20
"""The most rejected rows of a code that are named."""
_SEVERAL, _MOST_WORDS = 3, 1000
"""Rows from which on a word is no slip of one, and the words that are counted."""
_WORD: Final = re.compile(r" holds ('[^\d]*')$")
"""In the detail of a number that is none: a text without a digit."""
_EXPORT: Final = "mend these rows in the export; their items keep the state they had, or are not there"
_FIXES: Final = {
    "bad_utf8": "set catalogue.encoding, or mend the export",
    "no_item_id": "let the export write an id; where rows go on from the one above, set catalogue.columns.continues",
    "bad_item_id": "export ids as text",
    "no_category": "let the export say a category, or name another column in catalogue.columns.category_fallbacks",
    "deep_category": "see catalogue.columns.category_separator; a path has at most 8 levels",
    "no_photo": "let the export name a photo; without one an item cannot be found",
    "bad_number": "see catalogue.decimal_mark, or mend the export",
    "bad_date": "set catalogue.date_format, or mend the export",
    "future_date": "see catalogue.date_format, or mend the export",
    "bad_deleted": "add the word to catalogue.deleted_words or catalogue.not_deleted_words",
    "bad_split": "add the word to catalogue.split_names",
    "conflicting_duplicate": "of equal ids the first row counts; where rows are parts of one item, set "
    "catalogue.columns.continues; where they say it in several languages or for several markets, export one of these",
    "unknown_item": "the media table names items that no feed has; export both at the same time",
}


@dataclass(frozen=True)
class Reading:
    """What the catalogue stage made of the feed: its store, "" for no catalogue, counts, and findings."""

    store: Store
    buckets: int
    catalogue_id: str
    findings: tuple[Finding, ...]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether rows of the feed were read, if only to be rejected."""
        return bool(self.catalogue_id) or len(self.findings) > 1

    @property
    def folder(self) -> str:
        """The folder of the catalogue's tables."""
        return f"catalogue/{self.catalogue_id}"


def read_catalogue(config: Config, scratch: Path, progress: Progress) -> Reading:
    """Read the feed. What would stop the stage is a finding; so is each of its notes, and each code of rejects."""
    context = open_run(local(config, scratch), RUN_ID, progress)
    try:
        manifest = next(iter(run_stages(context, ("catalogue",))))
    except (StageError, GateError, StoreError, ConfigError) as error:
        made = sorted(
            {entry.name.split("/")[1] for entry in context.store.list("catalogue") if "/rejects/" in entry.name}
        )
        first, *more = str(error).splitlines()
        failed = Finding("catalogue_fails", STOPS, first, examples=tuple(line.strip() for line in more))
        rejects = _rejects(context.store, f"catalogue/{made[0]}", context.buckets) if made else ()
        return Reading(context.store, context.buckets, "", (failed, *rejects))
    catalogue_id = manifest["outputs"]["catalogue_id"]
    found = (
        *_share(config, manifest),
        *_rejects(context.store, f"catalogue/{catalogue_id}", context.buckets),
        *_notes(manifest["notes"]),
    )
    return Reading(context.store, context.buckets, catalogue_id, found, manifest["counts"])


def local(config: Config, scratch: Path) -> Config:
    """Return a config for a store of its own that is read in this process, and lets any share of rows be rejected."""
    return config.model_copy(
        update={
            "store": config.store.model_copy(update={"uri": str(scratch / "store")}),
            "beam": config.beam.model_copy(update={"runner": "in_process", "options": []}),
            "catalogue": config.catalogue.model_copy(update={"max_rejected_share": 1.0}),
            "monitoring": MonitoringSection(),
        }
    )


def _share(config: Config, manifest: dict[str, Any]) -> Iterator[Finding]:
    counts = manifest["counts"]
    ledger = Ledger(counts["in"], counts["ok"], counts["skipped"], counts["rejected"], manifest["rejects"])
    try:
        ledger.check_share("catalogue", config.catalogue.max_rejected_share)
    except StageError as error:
        yield Finding("too_many_rejected", STOPS, str(error))


def _rejects(store: Store, folder: str, buckets: int) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    examples: dict[str, list[tuple[str, int, str]]] = {}
    words = Counter[str]()
    for bucket in range(buckets):
        for row in read_bucket(store, folder + "/rejects", bucket, REJECTS).to_pylist():
            code = row["code"]
            counts[code] = counts.get(code, 0) + 1
            file, _, line = row["source"].rpartition(":")
            kept = sorted([*examples.get(code, []), (file, int(line), row["detail"])])[:EXAMPLES]
            examples[code] = kept
            if code == "bad_number" and (held := _WORD.search(row["detail"])) and len(words) < _MOST_WORDS:
                words[held[1]] += 1
    for code, count in most_frequent_first(counts):
        told = tuple(f"{file}:{line}: {detail}" for file, line, detail in examples[code])
        of_words = _of_words(words, count) if code == "bad_number" else ""
        yield Finding(code, ODD, f"rejected rows, {code}", count, told, of_words or _FIXES.get(code, _EXPORT))


def _of_words(words: Counter[str], count: int) -> str:
    """Return what to do where half of the numbers that are none are one and the same word, "" where they are not."""
    for word, often in words.most_common(1):
        if often >= max(_SEVERAL, count / 2):
            return f"if {word} means no value, add it to catalogue.no_value; else mend the export"
    return ""


def _notes(notes: list[str]) -> Iterator[Finding]:
    """Yield the stage's notes but for those that count rejects, which are told by code."""
    for note in notes:
        if " rejected: " in note or note.startswith("  "):
            continue
        what, _, fix = note.partition("; ")
        yield Finding("note", ODD if fix else TOLD, what, fix=fix)
