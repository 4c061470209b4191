"""What the shop says above its feeds: categories of other names, and corrections of single items.

The state keeps what the feeds say; what later stages see is made of it anew in each run, so that a rule or a correction
that is taken back leaves nothing behind. Pure functions, but for reading the two sheets; the curators' log is given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pipelines.catalogue import aliases as alias_sheet
from pipelines.catalogue import corrections as correction_sheet
from pipelines.catalogue.aliases import Aliases, read_aliases
from pipelines.catalogue.corrections import Correction, read_corrections, with_curated
from pipelines.catalogue.mapping import Item
from pipelines.catalogue.sheets import find_sheet, read_sheet
from pipelines.catalogue.state import State
from pipelines.catalogue.values import Remarks
from pipelines.config import Config
from pipelines.curated import Curated
from pipelines.tables.buckets import bucket_of

MOVED: Final = "alias_moved"
CORRECTED, NEEDLESS, OF_NO_ITEM = "corrected", "correction_needless", "correction_of_no_item"
"""The remarks on items, with an example: moved by a rule; corrected, said alike by the feed, and not there."""
CURATED: Final = {kind: f"curated_{kind}" for kind in (CORRECTED, NEEDLESS, OF_NO_ITEM)}
"""The same of those whose category a curator has given."""


@dataclass(frozen=True)
class Overlay:
    """The rules, and the corrections by item id; `digest` names both, "" for none."""

    aliases: Aliases = Aliases()  # noqa: RUF009 - frozen
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    digest: str = ""

    def by_bucket(self, buckets: int) -> list[Overlay]:
        """Return it for each bucket, with the corrections of that bucket's items alone."""
        of: list[dict[str, Correction]] = [{} for _ in range(buckets)]
        for item_id, one in self.corrections.items():
            of[bucket_of(item_id, buckets)][item_id] = one
        return [replace(self, corrections=mine) for mine in of]

    def lay(self, state: State, remarks: Remarks) -> None:
        """Set how each item of a state is shown; remark what was done."""
        for item_id, held in state.items.items():
            correction = self.corrections.get(item_id)
            if correction is None and not self.aliases.rules and held.shown_as is None:
                continue
            plain = self._moved(held.item)
            shown = plain if correction is None else self._moved(_corrected(held.item, correction))
            if plain != held.item:
                remarks.add(MOVED, repr(item_id))
            if correction is not None:
                remarks.add(_kind(NEEDLESS if shown == plain else CORRECTED, correction), repr(item_id))
            state.items[item_id] = replace(
                held, shown_as=None if shown == held.item else shown, is_corrected=shown != plain
            )
        for item_id in self.corrections.keys() - state.items.keys():
            remarks.add(_kind(OF_NO_ITEM, self.corrections[item_id]), repr(item_id))

    def _moved(self, item: Item) -> Item:
        if not self.aliases.rules:
            return item
        return replace(item, category=self.aliases.of_item(item.category, item))


def _kind(kind: str, correction: Correction) -> str:
    return CURATED[kind] if correction.decision else kind


def _corrected(item: Item, correction: Correction) -> Item:
    attributes = {**item.attributes, **correction.attributes}
    return replace(item, category=correction.category or item.category, attributes=attributes)


def read_overlay(config: Config, curated: Curated) -> Overlay:
    """Read the sheets that a config names, and take what curators have decided.

    Raises FeedError that names file, line and fix.
    """
    section, digests = config.catalogue, []
    aliases, corrections = Aliases(), dict[str, Correction]()
    if section.category_aliases:
        file = find_sheet(config, "category_aliases", section.category_aliases)
        sheet = read_sheet(file, alias_sheet.NAMES, in_order=alias_sheet.COLUMNS)
        aliases = read_aliases(sheet, section.columns)
        digests.append(f"aliases {sheet.digest}")
    if section.corrections:
        names = correction_sheet.names_of(section.columns)
        sheet = read_sheet(find_sheet(config, "corrections", section.corrections), names)
        corrections = read_corrections(sheet, section.columns)
        digests.append(f"corrections {sheet.digest}")
    if curated.categories:
        corrections = with_curated(corrections, curated)
        given = sorted((item_id, path) for item_id, (_, path) in curated.categories.items())
        digests.append(f"curated {json.dumps(given)}")
    digest = hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16] if digests else ""
    return Overlay(aliases, corrections, digest)
