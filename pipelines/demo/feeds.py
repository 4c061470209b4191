"""The feeds of a catalogue and the truth about them: products, street photos and clicks as CSV. Draws nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.demo.clicks import impressions
from pipelines.demo.fates import Fate
from pipelines.demo.files import Shot
from pipelines.demo.items import Item, stream
from pipelines.demo.poison import PHOTO_CODES
from pipelines.demo.rows import BAD_ROWS, CLICK_COLUMNS, COLUMNS, STREET_COLUMNS, cells_of, line_of


def write_feeds(
    folder: Path, items: Sequence[Item], fates: Mapping[int, Fate], shots: Sequence[Shot], seed: int
) -> dict[str, Any]:
    """Write the three feeds; return the truth about them and the photos."""
    rows, poison = _product_rows(items, fates, shots, seed)
    _write_csv(folder / "products.csv", COLUMNS, rows)
    streets = [(items[shot.index], shot) for shot in shots if shot.street]
    street_rows, street_poison = _street_rows(streets, bool(poison))
    _write_csv(folder / "street.csv", STREET_COLUMNS, street_rows)
    shown = list(impressions([(item, shot.street) for item, shot in streets], items, stream(seed, 11)))
    clicks = [
        line_of([i.query, i.image, i.sku, str(i.position), str(int(i.clicked)), str(int(i.relevant))]) for i in shown
    ]
    _write_csv(folder / "clicks.csv", CLICK_COLUMNS, clicks)
    groups: dict[str, list[str]] = {}
    for item in items:
        groups.setdefault(item.parent_sku, []).append(item.sku)
    return {
        "seed": seed,
        "items": len(items),
        "leaf_categories": len({item.leaf.path for item in items}),
        "rows": len(rows),
        "impressions": len(shown),
        "poison": [*poison, *_bad_photos(items, fates, shots), *street_poison],
        "odd": [
            {"kind": fates[s.index].kind, "file": s.photos[-1], "sku": items[s.index].sku}
            for s in shots
            if s.index in fates and fates[s.index].trouble == "odd_photo"
        ],
        "duplicates": {name: _copies(fates, shots, f"{name}_copy") for name in ("exact", "near")},
        "variants": {parent: skus for parent, skus in groups.items() if len(skus) > 1},
        "boxes": {shot.street: list(shot.box) for _, shot in streets},
        "street": {shot.street: item.sku for item, shot in streets},
    }


def _product_rows(
    items: Sequence[Item], fates: Mapping[int, Fate], shots: Sequence[Shot], seed: int
) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Return the lines of the snapshot, shuffled, and what is wrong with which (rows count from 1 below the header)."""
    order = [int(index) for index in stream(seed, 3).permutation(len(items))]
    rows, added, poison = [], [], []
    for index in order:
        item, fate = items[index], fates.get(index)
        cells = cells_of(item, shots[index].photos)
        bad = BAD_ROWS[fate.kind] if fate and fate.trouble == "bad_row" else None
        rows.append(line_of(cells if bad is None or bad.extra else bad.spoil(cells, item)))
        if fate is None or bad is None:
            continue
        if bad.extra:
            added.append(line_of(bad.spoil(cells, item)))
        row = len(items) + len(added) if bad.extra else len(rows)
        poison.append(
            {
                "kind": fate.kind,
                "where": "products.csv",
                "row": row,
                "sku": item.sku,
                "code": bad.code,
                "in_index": bad.extra,
            }
        )
    return rows + added, poison


def _street_rows(streets: Sequence[tuple[Item, Shot]], poisoned: bool) -> tuple[list[bytes], list[dict[str, Any]]]:
    rows = [line_of([item.sku, shot.street, "street", *map(str, shot.box)]) for item, shot in streets]
    if not (poisoned and streets):
        return rows, []
    item, shot = streets[0]
    left, top, right, bottom = map(str, shot.box)
    rows.append(line_of([item.sku, shot.street, "street", right, top, left, bottom]))
    rows.append(line_of(["S-unknown", shot.street, "street", left, top, right, bottom]))
    spoilt = {"where": "street.csv", "in_index": True}
    return rows, [
        {"kind": "street_bad_box", "row": len(rows) - 1, "sku": item.sku, "code": "bad_box", **spoilt},
        {"kind": "street_unknown_item", "row": len(rows), "sku": "S-unknown", "code": "unknown_item", **spoilt},
    ]


def _bad_photos(items: Sequence[Item], fates: Mapping[int, Fate], shots: Sequence[Shot]) -> list[dict[str, Any]]:
    return [
        {
            "kind": fate.kind,
            "where": "photo",
            "file": shots[index].photos[-1],
            "sku": items[index].sku,
            "code": PHOTO_CODES[fate.kind],
            "in_index": items[index].photos > 1,
        }
        for index, fate in sorted(fates.items())
        if fate.trouble == "bad_photo"
    ]


def _copies(fates: Mapping[int, Fate], shots: Sequence[Shot], trouble: str) -> list[dict[str, str]]:
    return [
        {"file": copy, "of": first}
        for index, fate in sorted(fates.items())
        if fate.trouble == trouble
        for copy, first in zip(shots[index].photos, shots[fate.source].photos, strict=True)
    ]


def _write_csv(path: Path, columns: Sequence[str], lines: Sequence[bytes]) -> None:
    path.write_bytes(line_of(columns) + b"".join(lines))
