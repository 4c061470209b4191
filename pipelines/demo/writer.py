"""One call -> a folder with a whole synthetic catalogue: photos, feeds, clicks, truth and config. Owns the order of the steps.

The truth in `truth.json` is for tests and benchmarks; no stage of the pipeline reads it.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.demo.clicks import impressions
from pipelines.demo.config import write_config
from pipelines.demo.encode import Encoding, calibrate
from pipelines.demo.fates import Fate, Shares, apply_copies, assign
from pipelines.demo.files import Job, Shot, Studio, shoot_all, studio_samples
from pipelines.demo.items import Item, make_items, stream
from pipelines.demo.poison import PHOTO_CODES
from pipelines.demo.rows import BAD_ROWS, CLICK_COLUMNS, COLUMNS, MAX_PHOTOS, STREET_COLUMNS, cells_of, line_of
from pipelines.demo.taxonomy import grow, sizes

_MANY: Final = 2000  # photos of so many items are worth a second process
_SAMPLES: Final = 12


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What a synthetic catalogue holds, counted."""

    folder: Path
    items: int
    leaf_categories: int
    rows: int
    photos: int
    street_photos: int
    bad_photos: int
    bad_rows: int
    odd_photos: int
    exact_copies: int
    near_copies: int
    impressions: int


def write_catalogue(
    folder: Path,
    *,
    items: int,
    leaf_categories: int,
    seed: int,
    shares: Shares = Shares(),  # noqa: B008 - frozen
    size: tuple[int, int] = (160, 200),
    photo_bytes: int | None = None,
    max_photos: int = MAX_PHOTOS,
    workers: int | None = None,
) -> DemoSummary:
    """Write a synthetic catalogue to an empty or new `folder`; equal arguments give equal bytes, for any number of `workers`.

    `size` is (width, height) of the photos in pixels, `photo_bytes` the mean size of a file to aim at, `max_photos` 1 to 4.
    Raises ValueError for numbers that cannot be met, FileExistsError for a folder that holds something.
    """
    _check(folder, size, max_photos)
    leaves = grow(leaf_categories, stream(seed, 0))
    made = make_items(leaves, sizes(len(leaves), items, stream(seed, 8)), seed, max_photos)
    fates = assign(made, shares, seed)
    made = apply_copies(made, fates)
    folder.mkdir(parents=True, exist_ok=True)
    studio = Studio(folder, seed, size, Encoding())
    if photo_bytes is not None:
        samples = studio_samples({item.index: item for item in made[:: max(1, len(made) // _SAMPLES)]}, studio)
        studio = Studio(folder, seed, size, calibrate(samples, photo_bytes, stream(seed, 9)))
    shots = list(shoot_all(studio, _jobs(made, fates, shares, seed), _workers(workers, items)))
    truth = _write_feeds(folder, made, fates, shots, seed)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_config(folder, size=size)
    return _summary(folder, made, shots, truth)


def _check(folder: Path, size: tuple[int, int], max_photos: int) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} holds something already; name a new or an empty folder")
    if min(size) < 48 or max(size) > 4000:
        raise ValueError(f"size={size}: photos have 48 to 4000 pixels a side")
    if not 1 <= max_photos <= MAX_PHOTOS:
        raise ValueError(f"max_photos={max_photos}: the feed has columns for 1 to {MAX_PHOTOS}")


def _workers(asked: int | None, items: int) -> int:
    return asked if asked is not None else min(os.cpu_count() or 1, 8) if items >= _MANY else 1


def _jobs(items: Sequence[Item], fates: dict[int, Fate], shares: Shares, seed: int) -> list[Job]:
    """Return the photo work of every item; street photos go to sound items only."""
    rng = stream(seed, 10)
    seen = rng.random(len(items)) < shares.street
    beside = rng.integers(len(items), size=len(items))
    return [
        Job(
            item,
            items[fate.source] if (fate := fates.get(item.index)) and fate.source >= 0 else item,
            fate,
            items[int(beside[item.index])] if fate is None and seen[item.index] else None,
        )
        for item in items
    ]


def _write_feeds(folder: Path, items: Sequence[Item], fates: dict[int, Fate], shots: Sequence[Shot], seed: int) -> dict[str, Any]:
    """Write the three feeds; return the truth about them and the photos."""
    rows, poison = _product_rows(items, fates, shots, seed)
    _write_csv(folder / "products.csv", COLUMNS, rows)
    streets = [(items[shot.index], shot) for shot in shots if shot.street]
    street_rows, street_poison = _street_rows(streets, bool(poison))
    _write_csv(folder / "street.csv", STREET_COLUMNS, street_rows)
    shown = list(impressions([(item, shot.street) for item, shot in streets], items, stream(seed, 11)))
    clicks = [line_of([i.query, i.image, i.sku, str(i.position), str(int(i.clicked)), str(int(i.relevant))]) for i in shown]
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
    items: Sequence[Item], fates: dict[int, Fate], shots: Sequence[Shot], seed: int
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
            {"kind": fate.kind, "where": "products.csv", "row": row, "sku": item.sku, "code": bad.code, "in_index": bad.extra}
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


def _bad_photos(items: Sequence[Item], fates: dict[int, Fate], shots: Sequence[Shot]) -> list[dict[str, Any]]:
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


def _copies(fates: dict[int, Fate], shots: Sequence[Shot], trouble: str) -> list[dict[str, str]]:
    return [
        {"file": copy, "of": first}
        for index, fate in sorted(fates.items())
        if fate.trouble == trouble
        for copy, first in zip(shots[index].photos, shots[fate.source].photos, strict=True)
    ]


def _write_csv(path: Path, columns: Sequence[str], lines: Sequence[bytes]) -> None:
    path.write_bytes(line_of(columns) + b"".join(lines))


def _summary(folder: Path, items: Sequence[Item], shots: Sequence[Shot], truth: dict[str, Any]) -> DemoSummary:
    return DemoSummary(
        folder=folder,
        items=len(items),
        leaf_categories=truth["leaf_categories"],
        rows=truth["rows"],
        photos=sum(len(shot.photos) for shot in shots),
        street_photos=len(truth["street"]),
        bad_photos=sum(bad["where"] == "photo" for bad in truth["poison"]),
        bad_rows=sum(bad["where"] != "photo" for bad in truth["poison"]),
        odd_photos=len(truth["odd"]),
        exact_copies=len(truth["duplicates"]["exact"]),
        near_copies=len(truth["duplicates"]["near"]),
        impressions=truth["impressions"],
    )
