"""One call -> a folder with a whole synthetic catalogue: photos, feeds, truth and config. Owns the order of steps.

The truth in `truth.json` is for tests and benchmarks; no stage of the pipeline reads it.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.demo.config import write_config
from pipelines.demo.encode import Encoding, calibrate
from pipelines.demo.fates import Fate, Shares, apply_copies, assign
from pipelines.demo.feeds import write_feeds
from pipelines.demo.files import Job, Shot, Studio, shoot_all, studio_samples
from pipelines.demo.items import Item, make_items, stream
from pipelines.demo.rows import MAX_PHOTOS
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
    """Write a synthetic catalogue to a new or empty `folder`; equal arguments give equal bytes.

    `size` is (width, height) of the photos in pixels, `photo_bytes` the mean size of a file to aim at, `max_photos` is
    1 to 4. More than one of `workers` starts processes: call it below `if __name__ == "__main__"` then.
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
    truth = write_feeds(folder, made, fates, shots, seed)
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
