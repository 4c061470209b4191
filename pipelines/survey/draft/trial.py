"""What the catalogue stage would make of the first rows of a feed under a config: its own reader is the judge."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.catalogue.arrivals import SNAPSHOT, Arrival, Mention, Rejected, Rows
from pipelines.catalogue.categories import LEVELS
from pipelines.catalogue.feeds import FeedFile
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.headers import check_columns
from pipelines.catalogue.mapping import Item
from pipelines.catalogue.merge import Terms, merge
from pipelines.catalogue.notes import gone_of, hints_of
from pipelines.catalogue.records import Reader, unpacked
from pipelines.catalogue.state import State
from pipelines.catalogue.summary import Summary
from pipelines.config import CatalogueSection

MOST_ROWS = 2000


@dataclass(frozen=True)
class Trial:
    """What became of the rows: `items` with their photos, `rejects`, and what was noticed (`hints` for people)."""

    rows: int
    items: tuple[Item, ...]
    rejects: tuple[Rejected, ...]
    summary: Summary

    @property
    def codes(self) -> Counter[str]:
        """How many rows were rejected, by code."""
        return Counter(reject.code for reject in self.rejects)

    @property
    def hints(self) -> list[str]:
        """What looks as if the config did not say how the feed is written."""
        return [*hints_of(self.summary), *gone_of(self.summary)]

    @property
    def badness(self) -> tuple[float, float, float]:
        """What is to be made small: rejected rows, hints, and categories that have no level above."""
        remarks = self.summary.remarks
        return (len(self.rejects), len([*hints_of(self.summary)]), -remarks[LEVELS])


def tried(section: Mapping[str, Any], files: Sequence[Path]) -> Trial | None:
    """Read the first rows of some files as a config says; None where the config or a file does not allow it."""
    try:
        checked = CatalogueSection.model_validate({"snapshot": str(files[0]), **section})
        return read(checked, files)
    except (ValidationError, FeedError):
        return None


def refusal(section: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Return why the catalogue stage would refuse some files under a config, "" where it would not."""
    try:
        read(CatalogueSection.model_validate({"snapshot": str(files[0]), **section}), files)
    except ValidationError as error:
        return "; ".join(f"catalogue.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    except FeedError as error:
        return str(error)
    return ""


def rejecting(trial: Trial) -> str:
    """Return why so many of the first rows are rejected that a run would stop, "" where they are not."""
    limit = CatalogueSection.model_fields["max_rejected_share"].default
    if len(trial.rejects) <= limit * trial.rows:
        return ""
    counts = ", ".join(f"{code} {count}" for code, count in trial.codes.most_common())
    which = "all" if not trial.items else f"{len(trial.rejects)} of {trial.rows}"
    if not trial.items and {"no_photo", "no_category"} <= trial.codes.keys():
        fix = "rows with photos and those with categories are not the same: let the export write them into one row"
    else:
        fix = "mend what they lack, let the export leave them out, or map other columns"
    return (
        f"{which} rows that were looked at are rejected ({counts}), over catalogue.max_rejected_share = {limit:.0%}, "
        f"so a run would stop; {fix}"
    )


def read(section: CatalogueSection, files: Sequence[Path]) -> Trial:
    """Read the first rows of files that are one list as the catalogue stage does, as many of each.

    Raises FeedError where the stage would refuse a file.
    """
    now = time.time()
    at = min(now, max(file.stat().st_mtime for file in files))
    feeds = [FeedFile(SNAPSHOT, file.name, file, place, "", at) for place, file in enumerate(files)]
    check_columns(section, feeds)
    rows, summary = Rows(), Summary()
    reader = Reader(section, 1, now, MOST_ROWS // len(files))
    for part in (part for feed in feeds for part in reader(feed)):
        if isinstance(part, Summary):
            summary += part
            continue
        for record in unpacked(part[1]):
            if isinstance(record, Arrival):
                rows.arrivals.append(record)
            elif isinstance(record, Rejected):
                rows.rejected.append(record)
            elif isinstance(record, Mention):
                rows.mentions.append(record)
    merged = merge(State(), rows, Terms(now, at, is_whole=False))
    summary.remarks += merged.remarks.counts
    items = tuple(held.item for held in merged.state.items.values())
    return Trial(len(rows.arrivals) + len(rows.rejected), items, tuple(merged.rejects), summary)
