"""A shop whose feed is the export of a shop system, read in memory as the stage reads it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue.feeds import find_feeds
from pipelines.catalogue.headers import check_columns
from pipelines.catalogue.merge import Terms, merge
from pipelines.catalogue.notes import notes_of
from pipelines.catalogue.pipeline import _sorted_out, _summary
from pipelines.catalogue.records import Reader, unpacked
from pipelines.catalogue.state import Held, State
from pipelines.catalogue.summary import Summary
from pipelines.config import load_config
from tests.catalogue.shop import Shop

Exported = Callable[..., "Read"]


class Read:
    """What became of an export: its items, rejects with their lines, notes, and where its rows went."""

    def __init__(self, shop: Shop) -> None:
        config, now = load_config(shop.config), time.time()
        feeds = find_feeds(config, now)
        check_columns(config.catalogue, feeds.files)
        parts = [part for file in feeds.files for part in Reader(config.catalogue, 1, now)(file)]
        records = [record for part in parts if isinstance(part, tuple) for record in unpacked(part[1])]
        rows = _sorted_out(records)
        merged = merge(State(), rows, Terms(now=now, snapshot_at=now))
        summary = sum((part for part in parts if isinstance(part, Summary)), Summary())
        summary += _summary(rows, merged, merged.rejects, State())
        self.ledger = summary.ledger()
        self.notes = list(notes_of(summary))
        self.rejects = sorted((int(r.source.rpartition(":")[2]), r.code, r.item_id) for r in merged.rejects)
        self.mentions = {mention.item_id for mention in rows.mentions}
        self.details = [reject.detail for reject in merged.rejects]
        self.held: dict[str, Held] = merged.state.shown()

    @property
    def photos(self) -> dict[str, list[str]]:
        return {item_id: [photo.image_uri for photo in held.photos] for item_id, held in self.held.items()}

    def said(self, key: str) -> dict[str, Any]:
        """One thing of every item."""
        return {item_id: getattr(held.item, key) for item_id, held in self.held.items()}

    def noted(self, beginning: str) -> str:
        """The one note that begins so."""
        [note] = [note for note in self.notes if note.startswith(beginning)]
        return note


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """Reads an export: its format, file name and text; keys of [catalogue] may follow."""
    shop = Shop(tmp_path)

    def read(kind: str, name: str, content: str | bytes, **section: Any) -> Read:
        (shop.root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        shop.write_config(catalogue={"format": kind, "snapshot": name, "columns": None, **section})
        return Read(shop)

    return read
