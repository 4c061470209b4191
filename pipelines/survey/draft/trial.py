"""What the catalogue stage would make of the first rows of a feed under a config: its own reader is the judge."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
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


def tried(section: Mapping[str, Any], file: Path) -> Trial | None:
    """Read the first rows of a file as a config says; None where the config or the file does not allow it."""
    try:
        checked = CatalogueSection.model_validate({"snapshot": str(file), **section})
        return read(checked, file)
    except (ValidationError, FeedError):
        return None


def refusal(section: Mapping[str, Any], file: Path) -> str:
    """Return why the catalogue stage would refuse a file under a config, "" where it would not."""
    try:
        read(CatalogueSection.model_validate({"snapshot": str(file), **section}), file)
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


def read(section: CatalogueSection, file: Path, most: int = MOST_ROWS) -> Trial:
    """Read the first rows of a file as the catalogue stage does. Raises FeedError where it would refuse the file."""
    now = time.time()
    feed = FeedFile(SNAPSHOT, file.name, file, 0, "", min(file.stat().st_mtime, now))
    check_columns(section, [feed])
    rows, summary = Rows(), Summary()
    for part in Reader(section, 1, now, most)(feed):
        if isinstance(part, Summary):
            summary = part
            continue
        for record in unpacked(part[1]):
            if isinstance(record, Arrival):
                rows.arrivals.append(record)
            elif isinstance(record, Rejected):
                rows.rejected.append(record)
            elif isinstance(record, Mention):
                rows.mentions.append(record)
    merged = merge(State(), rows, Terms(now, feed.modified_at, is_whole=False))
    summary.remarks += merged.remarks.counts
    items = tuple(held.item for held in merged.state.items.values())
    return Trial(len(rows.arrivals) + len(rows.rejected), items, tuple(merged.rejects), summary)
