"""Photos to measure with: those of a folder, or drawn ones."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.demo.writer import write_catalogue

SUFFIXES = {".jpg", ".jpeg", ".png"}
DRAWN = 1500
DISTINCT = 500


def photos_of(folder: Path | None, count: int, work: Path, size: tuple[int, int] | None = None) -> list[Path]:
    """Return `count` JPEG files: a folder's, or else drawn ones; `size` (width, height) makes them that large.

    When there are fewer, and after the first 500 of a given size, they come again with other bytes behind their end.
    """
    found = sorted(path for path in (folder or _drawn(work)).rglob("*") if path.suffix in SUFFIXES and path.is_file())
    target = work / "photos"
    target.mkdir()
    paths: list[Path] = []
    for number in range(count):
        path = target / f"{number:06d}.jpg"
        distinct = len(found) if size is None else DISTINCT
        if number >= distinct:
            path.write_bytes(paths[number % distinct].read_bytes() + number.to_bytes(4, "big"))
        elif size is None:
            shutil.copyfile(found[number], path)
        else:
            path.write_bytes(_enlarged(found[number % len(found)], size, number))
        paths.append(path)
    return paths


def _drawn(work: Path) -> Path:
    write_catalogue(work / "drawn", items=DRAWN, leaf_categories=40, seed=1)
    return work / "drawn" / "street"


def _enlarged(path: Path, size: tuple[int, int], seed: int) -> bytes:
    """Return a JPEG of that size with a camera's noise, so that it has a photo's bytes and not a drawing's."""
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.int16)
    noise = np.random.default_rng(seed).normal(0, 4, pixels.shape).astype(np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
    return out.getvalue()
