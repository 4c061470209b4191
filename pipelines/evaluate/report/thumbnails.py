"""Prepared photos as the small pictures of a page, read by unit."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.store import NotFoundError, Place, Store, UnitTable, rows_by_unit
from transforms.thumbnail import data_uri, shrink

SIDE = 128


def thumbnails(store: Store, prep_id: str, places: Iterable[Place]) -> dict[Place, str]:
    """Return JPEG data URIs of prepared photos, at most 128 pixels a side, without those that cannot be read."""
    by_unit = rows_by_unit((unit, row) for unit, row in places if unit and row >= 0)
    found: dict[Place, str] = {}
    table = UnitTable(store, f"images/{prep_id}")
    for unit, rows in by_unit.items():
        try:
            images = table.read_rows(unit, rows, ["image"])["image"].to_pylist()
        except NotFoundError:
            continue
        for row, image in zip(rows, images, strict=True):
            small = shrink(image, SIDE)
            if small is not None:
                found[unit, row] = data_uri(small, "image/jpeg")
    return found
