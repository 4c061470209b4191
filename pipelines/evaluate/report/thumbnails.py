"""Prepared photos as the small pictures of a page, read by unit."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.store import NotFoundError, Place, Store, UnitTable
from transforms.thumbnail import data_uri, shrink

SIDE = 128


def thumbnails(store: Store, prep_id: str, places: Iterable[Place]) -> dict[Place, str]:
    """Return JPEG data URIs of prepared photos, at most 128 pixels a side, without those that cannot be read."""
    by_unit: dict[str, list[int]] = {}
    for unit, row in sorted(set(places)):
        if unit and row >= 0:
            by_unit.setdefault(unit, []).append(row)
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
