"""What stands above an item's row in the feed, and where: a curator's decision, a correction, a rule for categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pipelines.catalogue.corrections import Correction, names_of, read_corrections
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.sheets import find_sheet, read_sheet
from pipelines.config import Config
from pipelines.curated import NOTHING_CURATED, Curated
from pipelines.trace.facts import Laid

CORRECTIONS: Final = "catalogue.corrections"
CURATED: Final = "visual-search curate"
ALIASES: Final = "catalogue.category_aliases"
Shown = Mapping[str, Any]
"""A row of a catalogue's items, or of its origins."""


@dataclass(frozen=True)
class Overlaid:
    """Tells by what items are shown otherwise than their rows say; sheet and decisions are as they are now."""

    config: Config
    curated: Curated = NOTHING_CURATED

    def of(self, row: Shown, origin: Shown) -> tuple[Laid, ...]:
        """Return what is said above a feed of an item, of its rows of ITEMS and ORIGINS."""
        if origin.get("said_category") is None:  # an older catalogue, or one that says nothing else
            return ()
        return tuple(self._laid(row, origin))

    def _laid(self, row: Shown, origin: Shown) -> Iterator[Laid]:
        line = self._lines.get(row["item_id"]) if origin["is_corrected"] else None
        said, shown = (_path(one) for one in (origin["said_category"], row["category"]))
        decision, _ = self.curated.categories.get(row["item_id"], (0, ())) if origin["is_corrected"] else (0, ())
        by_hand = origin["is_corrected"] and (line is None or bool(line.category))
        if said != shown and decision:
            yield Laid("category", CURATED, f"decision {decision}", said)
        elif said != shown:
            yield Laid("category", CORRECTIONS if by_hand else ALIASES, self._place(line) if by_hand else "", said)
        before, now = dict(origin["said_attributes"] or ()), dict(row["attributes"] or ())
        for name in sorted(name for name in now if now[name] != before.get(name)):
            yield Laid(name, CORRECTIONS, self._place(line), before.get(name, ""))

    def _place(self, line: Correction | None) -> str:
        if line is None:
            return ""
        return f"{self.config.catalogue.corrections}, line {line.line}"

    @cached_property
    def _lines(self) -> Mapping[str, Correction]:
        section = self.config.catalogue
        if not section.corrections:
            return {}
        try:
            sheet = read_sheet(find_sheet(self.config, "corrections", section.corrections), names_of(section.columns))
            return read_corrections(sheet, section.columns)
        except FeedError:  # what it is now says nothing of what the run has read
            return {}


def _path(levels: Sequence[str]) -> str:
    return " > ".join(levels)
